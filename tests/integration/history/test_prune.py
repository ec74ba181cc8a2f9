"""What is archived is said to be, what stays is untouched, and both together still answer for every publication."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.history import fingerprint, prune, reading
from credit_warehouse.history.archive import ArchiveDamaged
from credit_warehouse.history.prune import HistoryError
from credit_warehouse.publication import PublicationError
from credit_warehouse.settings import get_settings

from . import marts

START = date(2026, 1, 20)
NASTY = ["", None, r"\N", 'a"b', "换\n行", ",", "NULL", "甲"]


@pytest.fixture
def history(warehouse: str) -> str:
    marts.make()
    return warehouse


def rules(every: int, month_end: int, year_end: int) -> None:
    with connect() as connection:
        for keep, months in (("every", every), ("month_end", month_end), ("year_end", year_end)):
            connection.execute("update ops.history_rule set months = %s where keep = %s", [months, keep])


def kept(as_of: date) -> list[int]:
    with connect() as connection:
        return [one.publication_id for one in prune.standing(connection, as_of)]


def rows_stored() -> int:
    with connect() as connection:
        row = connection.execute(
            "select (select count(*) from mart_store.one) + (select count(*) from mart_store.two)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_months_are_thinned_to_their_ends_and_years_to_theirs(history: str) -> None:
    rules(every=1, month_end=3, year_end=24)
    days = [date(2025, 11, 1) + timedelta(days=15 * step) for step in range(14)]  # up to 2026-05-15
    numbers = {day: marts.night(day, {1: str(day)}) for day in days}
    done = prune.prune(date(2026, 5, 15))
    stay = [
        date(2025, 12, 31),  # the year's end
        date(2026, 2, 14),  # the months' ends
        date(2026, 3, 31),
        date(2026, 4, 15), date(2026, 4, 30),  # every one of the last whole month and this one
        date(2026, 5, 15),
    ]  # fmt: skip
    assert kept(date(2026, 5, 15)) == [numbers[day] for day in days if day in stay]
    assert done.publications == len(days) - len(kept(date(2026, 5, 15)))
    assert {day: marts.read(numbers[day]) for day in days if day in stay} == {
        day: {1: str(day)} for day in days if day in stay
    }


def test_a_month_end_that_was_taken_back_is_not_what_stands_for_its_month(history: str) -> None:
    rules(every=0, month_end=12, year_end=0)
    good = marts.night(date(2026, 1, 30), {1: "good"})
    bad = marts.night(date(2026, 1, 31), {1: "bad"})
    publication.rollback(good, "错误", "test")
    marts.night(date(2026, 3, 1), {1: "x"})
    marts.night(date(2026, 3, 2), {1: "y"})
    prune.prune(date(2026, 3, 2))
    assert good in kept(date(2026, 3, 2)) and bad not in kept(date(2026, 3, 2))


def test_what_readers_stand_on_and_could_be_taken_back_to_stays(history: str) -> None:
    rules(0, 0, 0)
    first, *_ = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(5)]
    publication.rollback(first, "错误", "test")
    prune.prune(date(2030, 1, 1))
    assert kept(date(2030, 1, 1)) == [first, first + 3, first + 4]
    assert marts.read() == {1: "0"}


def test_an_archived_publication_says_so_and_is_not_gone_back_to(history: str) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(4)]
    prune.prune(date(2030, 1, 1))
    with pytest.raises(psycopg.errors.RaiseException, match="已按历史保存规则归档"):
        marts.read(numbers[0])
    with pytest.raises(PublicationError, match="已归档"):
        publication.rollback(numbers[0], "试", "test")
    publication.rollback(None, "试", "test")
    assert marts.read() == {1: "2"}


def test_an_archived_publication_refuses_also_where_nothing_is_found(history: str) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {}) for step in range(3)]
    prune.prune(date(2030, 1, 1))
    with connect() as connection:
        connection.execute("analyze mart_store.one")  # known to be empty: nothing is looked for in an index
    for number, told in ((numbers[0], "已按历史保存规则归档"), (numbers[-1] + 1, "不存在或未发布")):
        with pytest.raises(psycopg.errors.RaiseException, match=told):
            marts.read(number)


def test_a_killed_run_is_finished_by_the_next(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(6)]
    with monkeypatch.context() as patch:
        patch.setattr(prune, "_sweep", lambda connection: None)
        prune.prune(date(2030, 1, 1))
    assert rows_stored() == 12, "archived, not yet removed"
    assert [reading.published_about("1", number, "key")["one"] for number in numbers] == [
        [marts.told(1, str(step))] for step in range(6)
    ], "in both places, told once"
    assert prune.prune(date(2030, 1, 1)).publications == 0
    assert rows_stored() == 4
    with connect() as connection:
        assert connection.execute(
            "select count(*) from ops.history_archive where swept_at is null"
        ).fetchone() == (0,)


def test_a_run_killed_before_the_ledger_knew_leaves_nothing_behind(
    history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(0, 0, 0)
    for step in range(4):
        marts.night(START + timedelta(days=step), {1: str(step)})
    write = prune.archive.write

    def write_and_die(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prune.archive, "write", write_and_die)
        prune.prune(date(2030, 1, 1))
    assert marts.read(1) == {1: "0"}
    prune.prune(date(2030, 1, 1))
    assert len(list(get_settings().archive_dir.iterdir())) == 1


def test_the_pointer_moving_onto_a_due_publication_stops_the_run(
    history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(4)]
    write = prune.archive.write

    def write_and_roll_back(*arguments: object) -> object:
        publication.rollback(numbers[0], "正好此时", "test")
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(prune.archive, "write", write_and_roll_back)
    with pytest.raises(HistoryError, match="重新运行"):
        prune.prune(date(2030, 1, 1))
    assert marts.read() == {1: "0"} and rows_stored() == 8
    assert list(get_settings().archive_dir.iterdir()) == []


def test_a_damaged_archive_is_not_an_answer(history: str) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(4)]
    prune.prune(date(2030, 1, 1))
    [file] = get_settings().archive_dir.glob("*/one.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArchiveDamaged, match=r"one\.parquet"):
        reading.published_about("1", numbers[0], "key")


def test_archives_are_kept_as_long_as_queries_must_be_answerable(history: str) -> None:
    rules(0, 0, 0)
    numbers = [marts.night(START + timedelta(days=step), {1: str(step)}) for step in range(4)]
    prune.prune(date(2026, 2, 1))
    assert prune.prune(date(2031, 1, 21)).expired == 0, "five years: DOMAIN.md §4.4"
    assert reading.published_about("1", numbers[0], "key")["one"] == [marts.told(1, "0")]
    assert prune.prune(date(2031, 1, 22)).expired == 1
    assert list(get_settings().archive_dir.iterdir()) == []
    with pytest.raises(HistoryError, match="已过法定保存期"):
        reading.published_about("1", numbers[0], "key")


nights = st.lists(
    st.tuples(
        st.integers(0, 40),  # days since the night before
        st.dictionaries(st.integers(0, 3), st.sampled_from(NASTY), max_size=3),
        st.sampled_from(["publish", "publish", "publish", "discard", "prune"]),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(history_of_city=[(0, {}, "publish"), (0, {}, "publish"), (12, {}, "publish")], months=(0, 0, 0))
@given(history_of_city=nights, months=st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 14)))
def test_marts_and_archives_together_answer_as_a_copy_per_publication_would(
    history: str, history_of_city: list[tuple[int, dict[int, str | None], str]], months: tuple[int, int, int]
) -> None:
    rules(*months)
    with connect() as connection:
        connection.execute("truncate mart_store.one, mart_store.two")
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            "truncate ops.current_publication, ops.publication_flip, ops.publication, ops.history_archive cascade"
        )
    copies: dict[int, dict[int, str | None]] = {}
    newest: dict[int, str | None] = {}
    day = START
    for pause, changes, move in history_of_city:
        day += timedelta(days=pause)
        if move == "prune":
            with connect() as connection:
                before = fingerprint.take(connection)
            prune.prune(day)
            with connect() as connection:
                after = fingerprint.take(connection)
            assert after == {place: value for place, value in before.items() if place in after}
            continue
        number = marts.night(day, changes, discard=move == "discard")
        if move == "publish":
            newest = {**newest, **changes}
            copies[number] = newest
    prune.prune(day)
    standing = kept(day)
    for number, copy in copies.items():
        if number in standing:
            assert marts.read(number) == copy
        else:
            with pytest.raises(psycopg.errors.RaiseException, match="归档"):
                marts.read(number)
        for key in range(4):
            told = reading.published_about(str(key), number, "key").get("two", [])
            assert told == ([marts.told(key, copy[key])] if key in copy else [])


def test_fingerprints_tell_any_difference(history: str) -> None:
    first = marts.night(START, {1: "a", 2: "b"})
    with connect() as connection:
        before = fingerprint.take(connection)
    second = marts.night(START, {2: "c"})
    with connect() as connection:
        after = fingerprint.take(connection)
        assert after[first, "one"] == before[first, "one"] != after[second, "one"]
        connection.execute("update mart_store.one set value = 'b' where key = 1")
        assert fingerprint.take(connection)[first, "one"] != before[first, "one"]
        connection.execute("update mart_store.one set value = 'a' where key = 2 and value = 'b'")
        assert fingerprint.take(connection)[first, "one"] != before[first, "one"], (
            "values of two rows changed places"
        )
