"""Who belongs to a population: by the newest version of each entry, and night by night the same as rebuilt at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.settings import PROJECT_DIR

from .city import Row, deliver, key_of, take_back
from .dbt_process import dbt

PEOPLE = "data_administration.population_register"
TRADES = "data_administration.professional_register"
UNITS = "data_administration.institution_register"
NIGHT = date(2026, 3, 2)
WHOLE = "全体"

Member = tuple[str, str, str, date, date | None]
Build = Callable[..., list[Member]]


@pytest.fixture
def build(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Build a night's registers and publish; who belongs to what afterwards."""

    def run(night: date, *arguments: str, refused: int | None = None) -> list[Member]:
        candidate = publication.open_candidate(night)
        assert candidate is not None
        number = candidate.publication_id
        if refused:
            take_back(refused, number)
        project = PROJECT_DIR / "dbt_project"
        dbt(monkeypatch, project, number, night, "run", "--select", "+register_member", *arguments)
        dbt(monkeypatch, project, number, night, "test", "--select", "register_member")
        publication.publish(number, "test")
        with connect() as connection:
            found = connection.execute(
                "select population, group_name, subject_key::text, joined_on, left_on from core.register_member"
            ).fetchall()
        return sorted(found, key=by_group)

    return run


def entry(record: str, subject: str, joined_on: date, hour: int = 9, **values: object) -> Row:
    names = {"registered_on": joined_on, "updated_at": datetime(2026, 3, 2, hour)}
    return Row(record, subject, {**names, **values}, subject_type="person")


def trade(record: str, subject: str, code: str, since: date, until: date | None = None) -> Row:
    values = {"group_code": code, "valid_from": since, "valid_until": until}
    return Row(record, subject, values, subject_type="person")


def member(
    population: str, group: str | None, subject: str, joined: date, left: date | None = None
) -> Member:
    return (population, group, str(key_of(subject)), joined, left)


def test_the_newest_entry_counts_and_nights_add_up_to_a_rebuild(build: Build) -> None:
    old, new, gone = date(2015, 1, 1), date(2024, 5, 1), date(2026, 2, 1)
    deliver(
        PEOPLE,
        NIGHT,
        [
            entry("E1", "stays", old),
            entry("E2", "returns", old, left_on=date(2020, 1, 1)),
            entry("E3", "returns", new),
            entry("E4", "mistaken", old),
            entry("E5", "unknown", old),
        ],
    )
    deliver(TRADES, NIGHT, [trade("T1", "stays", "04", old), trade("T2", "stays", "10", new)])
    deliver(UNITS, NIGHT, [Row("U1", "unit", {"registered_on": old})])
    assert build(NIGHT) == sorted(
        [
            member("institution", WHOLE, "unit", old),
            member("population", WHOLE, "stays", old),
            member("population", WHOLE, "returns", old, date(2020, 1, 1)),
            member("population", WHOLE, "returns", new),
            member("population", WHOLE, "mistaken", old),
            member("population", WHOLE, "unknown", old),
            member("professional_group", "律师", "stays", old),
            member("professional_group", "教师", "stays", new),
        ],
        key=by_group,
    )

    second = NIGHT + timedelta(days=1)
    left = deliver(
        PEOPLE,
        second,
        [
            entry("E1", "stays", old, hour=10, left_on=gone),
            # The number was somebody else's.
            entry("E4", "right", old, hour=10),
            # An older version once more changes nothing.
            entry("E5", "unknown", new, hour=8),
        ],
    )
    expected = [
        member("institution", WHOLE, "unit", old),
        member("population", WHOLE, "stays", old, gone),
        member("population", WHOLE, "returns", old, date(2020, 1, 1)),
        member("population", WHOLE, "returns", new),
        member("population", WHOLE, "right", old),
        member("population", WHOLE, "unknown", old),
        member("professional_group", "律师", "stays", old),
        member("professional_group", "教师", "stays", new),
    ]
    assert build(second) == sorted(expected, key=by_group)
    third = second + timedelta(days=1)
    assert build(third, "--full-refresh") == sorted(expected, key=by_group)

    # A batch taken back leaves no trace of itself.
    fourth = third + timedelta(days=1)
    deliver(PEOPLE, fourth, [])
    restored = [
        member("population", WHOLE, "stays", old),
        member("population", WHOLE, "mistaken", old),
        *(found for found in expected if found[2] not in (str(key_of("stays")), str(key_of("right")))),
        *(found for found in expected if found[0] == "professional_group"),
    ]
    assert build(fourth, refused=left) == sorted(restored, key=by_group)


def by_group(found: Member) -> tuple[str, str, str, date]:
    return found[0], found[1], found[2], found[3]
