"""The real marts, pruned while nights go on: what is built next, and what is told about the past, stay the same."""

from __future__ import annotations

from datetime import timedelta

import psycopg

from credit_warehouse import provenance, publication
from credit_warehouse.database import connect
from credit_warehouse.history import fingerprint, prune, reading, stores

from .conftest import Build
from .test_nights import FIRST_NIGHT, RandomCity, read_core, written


def test_nights_on_pruned_marts_equal_a_rebuild_and_a_record_tells_its_whole_past(build: Build) -> None:
    with connect() as connection:
        connection.execute("update ops.history_rule set months = 0")
    city = RandomCity(4)
    night, numbers = FIRST_NIGHT, []
    for _ in range(5):
        city.one_night(night)
        city.change_records(night)
        numbers.append(build(night))
        publication.publish(numbers[-1], "test")
        night += timedelta(days=9)
    with connect() as connection:
        records = [
            key for (key,) in connection.execute(
                "select record_key from mart_store.queryable_credit_record where valid_from_publication < %s"
                " group by 1 order by count(*) desc, 1 limit 5", [numbers[-1]],
            ).fetchall()
        ]  # fmt: skip
        subjects = [
            str(key) for (key,) in connection.execute("select distinct subject_key from core.credit_record limit 5")
            if key is not None
        ]  # fmt: skip
        before = fingerprint.take(connection)
    told = [provenance.explain(record).publications for record in records]
    about = {
        (subject, number): reading.published_about(subject, number)
        for subject in subjects
        for number in numbers
    }
    assert max(map(len, told)) > 1 and any(about.values())

    done = prune.prune(night)
    assert done.publications == 3 and done.rows > 0
    assert [provenance.explain(record).publications for record in records] == told
    assert {place: reading.published_about(*place) for place in about} == about
    with connect() as connection:
        after = fingerprint.take(connection)
    assert after == {place: value for place, value in before.items() if place[0] in numbers[-2:]}
    _refused_whatever_is_asked(numbers[0])

    city.one_night(night)
    publication.publish(build(night), "test")
    core = read_core()
    full = build(night, "--full-refresh")
    assert written(full) == {} and read_core() == core


def _refused_whatever_is_asked(archived: int) -> None:
    """ "None" would be a wrong answer: what was there has left the marts."""
    with connect() as connection:
        names = stores.names(connection)
    assert "subject_credit_profile" in names
    asked = {name: f"select from mart.{name}" for name in names}
    asked |= {
        f"{name} of nobody": f"select from mart.{name} where subject_key = '00000000-0000-0000-0000-000000000000'"
        for name in ("queryable_credit_record", "subject_credit_profile")
    }
    answered = []
    for what, question in asked.items():
        with connect(publication=archived) as connection:
            try:
                connection.execute(question).fetchall()
            except psycopg.errors.RaiseException as error:
                assert "已按历史保存规则归档" in str(error)
            else:
                answered.append(what)
    assert answered == []
