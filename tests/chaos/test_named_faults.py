"""Faults with a name: each says in Chinese what is wrong and what to do, and the next run heals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg
import pytest

from credit_warehouse.troubles import DISK_FULL, LOCK_TIMEOUT, OUT_OF_MEMORY, STATEMENT_TIMEOUT
from tests.chaos.longrun import Arena
from tests.chaos.scenario import INTAKE
from tests.chaos.work import Conditions

MIB = 1 << 20
YEAR = 366 * 86400.0


def test_disk_full(city: Arena) -> None:
    full = Conditions(file_bytes=600)
    said, violations = city.spoilt(nullcontext(), conditions={"pull": full})
    assert said and all(DISK_FULL.advice in line for line in said if line.startswith("pull"))
    assert violations == []


def test_disk_full_while_loading(city: Arena) -> None:
    said, violations = city.spoilt(nullcontext(), conditions={"load": Conditions(file_bytes=20_000)})
    assert said and all(DISK_FULL.advice in line for line in said)
    assert violations == [], "no department was blamed: its batch is not refused"


def test_out_of_memory_while_loading(city: Arena) -> None:
    said, violations = city.spoilt(nullcontext(), conditions={"load": Conditions(memory_bytes=24 * MIB)})
    # The kernel may also end the process outright; that says nothing, and heals the same way.
    assert said and all(OUT_OF_MEMORY.advice in line or line.endswith("killed") for line in said)
    assert violations == []


def test_statement_timeout(city: Arena) -> None:
    said, violations = city.spoilt(_statement_timeout(city.url))
    assert any(STATEMENT_TIMEOUT.advice in line for line in said)
    assert violations == []


def test_a_lock_nobody_lets_go_of(city: Arena) -> None:
    impatient = Conditions(environment=(("CREDIT_LOCK_TIMEOUT_SECONDS", "1"),))
    said, violations = city.spoilt(
        _holding(city.url, "lock table ops.batch in access exclusive mode"),
        conditions=dict.fromkeys(INTAKE, impatient),
    )
    assert said and all(LOCK_TIMEOUT.advice in line for line in said)
    assert violations == []


def test_a_reader_who_never_ends_his_transaction_holds_nothing_up(city: Arena) -> None:
    look = "select count(*) from mart.subject_credit_profile, mart.feedback_item"
    with psycopg.connect(city.url) as outside:
        outside.execute("select 1")
    said, violations = city.spoilt(_holding(city.url, look), publishes=True)
    assert said == []
    assert violations == []


@pytest.mark.parametrize("years", [-3, 3])
def test_a_clock_that_jumps_changes_no_business_time(city: Arena, years: int) -> None:
    off = Conditions(clock_seconds=years * YEAR, environment=(("TZ", "Pacific/Kiritimati"),))
    verbs = (
        "pull",
        "load",
        "gate",
        "settle",
        "open_candidate",
        "build",
        "gate_publication",
        "publish",
        "feedback",
    )
    said, violations = city.spoilt(nullcontext(), publishes=years > 0, conditions=dict.fromkeys(verbs, off))
    assert said == []
    assert violations == []


def test_two_schedulers_run_the_same_night(city: Arena) -> None:
    said, violations = city.twice_at_once()
    assert all("接手" in line or "已由另一次运行发布" in line for line in said), said
    assert violations == []


@contextmanager
def _statement_timeout(url: str) -> Iterator[None]:
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"alter database {name} set statement_timeout = '2ms'".encode())
        try:
            yield
        finally:
            connection.execute(f"alter database {name} reset statement_timeout".encode())


@contextmanager
def _holding(url: str, statement: str) -> Iterator[None]:
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute(statement.encode())
        yield
