"""The publication pointer on real Postgres: atomic, revertible, readable as of any publication."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.publication import PublicationError

DAY = date(2026, 3, 2)


@pytest.fixture
def marts(warehouse: str) -> Iterator[str]:
    """Two marts with versions, as the dbt materialization makes them."""
    with connect() as connection:
        for name in ("one", "two"):
            connection.execute(
                f"create table mart_store.{name} (key int, value int, valid_from_publication bigint not null,"
                " valid_to_publication bigint)"
            )
            connection.execute(
                f"create view mart.{name} as select key, value from mart_store.{name}"
                " where valid_from_publication <= (select ops.reading_publication())"
                " and (valid_to_publication is null or valid_to_publication > (select ops.reading_publication()))"
            )
    yield warehouse


def write(number: int, value: int, keys: range = range(3)) -> None:
    """Every key gets a new value in both marts, as candidate ``number``."""
    with connect() as connection:
        for name in ("one", "two"):
            connection.execute(
                f"update mart_store.{name} set valid_to_publication = %s"
                " where valid_to_publication is null and key = any(%s)",
                [number, list(keys)],
            )
            for key in keys:
                connection.execute(f"insert into mart_store.{name} values (%s, %s, %s)", [key, value, number])


def read(pin: int | None = None) -> tuple[set[int], set[int]]:
    with connect(publication=pin) as connection:
        return (
            {row[0] for row in connection.execute("select value from mart.one")},
            {row[0] for row in connection.execute("select value from mart.two")},
        )


def published(value: int, day: date = DAY) -> int:
    candidate = publication.open_candidate(day, full_refresh=True)
    assert candidate is not None
    write(candidate.publication_id, value)
    publication.publish(candidate.publication_id, "test")
    return candidate.publication_id


def test_a_candidate_is_seen_by_nobody_until_the_flip(marts: str) -> None:
    assert read() == (set(), set())
    first = published(1)
    candidate = publication.open_candidate(DAY, full_refresh=True)
    assert candidate is not None
    write(candidate.publication_id, 2)
    assert read() == ({1}, {1})
    assert read(pin=candidate.publication_id) == ({2}, {2}), "the loading role checks its candidate"
    publication.publish(candidate.publication_id, "test")
    assert read() == ({2}, {2})
    assert read(pin=first) == ({1}, {1}), "as of an older publication"


def test_rollback_and_forward_again(marts: str) -> None:
    first, second = published(1), published(2)
    assert publication.rollback(None, "错误", "test") == (second, first)
    assert read() == ({1}, {1})
    assert publication.rollback(second, "查明无误", "test") == (first, second)
    assert read() == ({2}, {2})
    with connect() as connection:
        moves = connection.execute(
            "select action, reason from ops.publication_flip order by flip_id"
        ).fetchall()
    assert moves == [("publish", "夜间发布")] * 2 + [("rollback", "错误"), ("rollback", "查明无误")]


def test_what_cannot_be_rolled_back_to(marts: str) -> None:
    with pytest.raises(PublicationError, match="尚无"):
        publication.rollback(None, "x", "test")
    published(1)
    with pytest.raises(PublicationError, match="之前没有"):
        publication.rollback(None, "x", "test")
    candidate = publication.open_candidate(DAY, full_refresh=True)
    assert candidate is not None
    with pytest.raises(PublicationError, match="未发布"):
        publication.rollback(candidate.publication_id, "x", "test")


def test_a_discarded_candidate_leaves_no_trace(marts: str) -> None:
    published(1)
    candidate = publication.open_candidate(DAY, full_refresh=True)
    assert candidate is not None
    write(candidate.publication_id, 2, range(1, 5))
    publication.discard(candidate.publication_id, "检验未通过")
    publication.discard(candidate.publication_id, "检验未通过")
    assert read() == ({1}, {1})
    with connect() as connection:
        left = connection.execute(
            "select count(*) from mart_store.one where valid_to_publication is not null or valid_from_publication = %s",
            [candidate.publication_id],
        ).fetchone()
    assert left == (0,)
    with pytest.raises(PublicationError):
        publication.publish(candidate.publication_id, "test")


def test_publishing_twice_is_publishing_once(marts: str) -> None:
    number = published(1)
    publication.publish(number, "test")
    with connect() as connection:
        assert connection.execute("select count(*) from ops.publication_flip").fetchone() == (1,)
    with pytest.raises(PublicationError):
        publication.discard(number, "x")


def test_a_dead_run_leaves_a_candidate_that_the_next_one_discards(marts: str) -> None:
    dead = publication.open_candidate(DAY)
    assert dead is not None
    write(dead.publication_id, 9)
    assert published(1) > dead.publication_id
    assert read() == ({1}, {1})


def test_nothing_new_opens_nothing_and_time_alone_opens_one(marts: str) -> None:
    published(1)
    assert publication.open_candidate(DAY) is None
    later = publication.open_candidate(date(2026, 3, 3))
    assert later is not None and later.business_date == date(2026, 3, 3)


def test_a_night_made_up_later_does_not_turn_the_clock_back(marts: str) -> None:
    published(1, date(2026, 3, 4))
    again = publication.open_candidate(date(2026, 3, 3), full_refresh=True)
    assert again is not None and again.business_date == date(2026, 3, 4)


def test_a_reader_may_pin_only_what_was_published(marts: str) -> None:
    first = published(1)
    candidate = publication.open_candidate(DAY, full_refresh=True)
    assert candidate is not None
    role = f"reader_{candidate.publication_id}_{abs(hash(marts)) % 10_000_000}"
    with connect() as connection:
        connection.execute(f"create role {role} login password 'reader' in role credit_analyst")
        connection.execute("grant select on all tables in schema mart to credit_analyst")
    try:
        url = psycopg.conninfo.make_conninfo(marts, user=role, password="reader")
        with psycopg.connect(url) as reader:
            assert reader.execute("select count(*) from mart.one").fetchone() == (3,)
            reader.execute("select set_config('credit.publication', %s, false)", [str(first)])
            assert reader.execute("select count(*) from mart.one").fetchone() == (3,)
            reader.execute(
                "select set_config('credit.publication', %s, false)", [str(candidate.publication_id)]
            )
            with pytest.raises(psycopg.errors.RaiseException, match="不能读取"):
                reader.execute("select count(*) from mart.one")
        with psycopg.connect(url) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select count(*) from ops.publication")
    finally:
        with connect() as connection:
            connection.execute(f"drop owned by {role}")
            connection.execute(f"drop role {role}")


def test_polling_readers_never_see_two_nights_at_once(marts: str) -> None:
    published(0)
    stop = threading.Event()
    seen: list[tuple[set[int], set[int]]] = []

    def poll() -> None:
        with psycopg.connect(marts, autocommit=True) as connection:
            while not stop.is_set():
                row = connection.execute(
                    "select (select array_agg(distinct value) from mart.one), (select array_agg(distinct value) from mart.two)"
                ).fetchone()
                assert row is not None
                seen.append((set(row[0]), set(row[1])))

    readers = [threading.Thread(target=poll) for _ in range(3)]
    for reader in readers:
        reader.start()
    for value in range(1, 15):
        published(value)
        publication.rollback(None, "试", "test")
        candidate = publication.open_candidate(DAY, full_refresh=True)
        assert candidate is not None
        write(candidate.publication_id, 100 + value)
        publication.discard(candidate.publication_id, "试")
    stop.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 20
    assert all(one == two and len(one) == 1 and one < set(range(100)) for one, two in seen)


def test_an_old_repeatable_read_reader_keeps_its_night(marts: str) -> None:
    published(1)
    with psycopg.connect(marts) as reader:
        reader.execute("set transaction isolation level repeatable read")
        assert reader.execute("select distinct value from mart.one").fetchall() == [(1,)]
        published(2)
        assert reader.execute("select distinct value from mart.two").fetchall() == [(1,)]
    assert read() == ({2}, {2})


moves = st.lists(
    st.tuples(st.sampled_from(["publish", "discard", "rollback"]), st.integers(0, 3), st.integers(0, 9)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=moves)
def test_any_history_reads_as_a_dictionary_per_publication_would(
    marts: str, history: list[tuple[str, int, int]]
) -> None:
    """Against the simplest reference: a whole copy of the mart per publication."""
    with connect() as connection:
        connection.execute("truncate mart_store.one, mart_store.two")
        # Not even a test may empty what hangs on publications and is append-only; here nothing is in it.
        connection.execute("set local session_replication_role = replica")
        connection.execute("truncate ops.current_publication, ops.publication_flip, ops.publication cascade")
    copies: dict[int, dict[int, int]] = {}
    newest: dict[int, int] = {}
    pointer: int | None = None
    for move, key, value in history:
        if move == "rollback":
            earlier = [number for number in copies if pointer is not None and number < pointer]
            if not earlier:
                with pytest.raises(PublicationError):
                    publication.rollback(None, "试", "test")
                continue
            pointer = max(earlier)
            publication.rollback(None, "试", "test")
        else:
            candidate = publication.open_candidate(DAY, full_refresh=True)
            assert candidate is not None
            write(candidate.publication_id, value, range(key, key + 1))
            if move == "discard":
                publication.discard(candidate.publication_id, "试")
                continue
            publication.publish(candidate.publication_id, "test")
            newest = {**newest, key: value}
            copies[candidate.publication_id] = newest
            pointer = candidate.publication_id
        for number, copy in [(None, copies.get(pointer or -1, {})), *copies.items()]:
            with connect(publication=number) as connection:
                assert dict(connection.execute("select key, value from mart.one").fetchall()) == copy
