"""The exchange database, read with psycopg as the credit office's role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from simulator.testing import RunningSimulator, running
from tests.integration.simulator.conftest import MONDAY, SMALL, TUESDAY, WEDNESDAY, OwnedExchange

Start = Callable[..., RunningSimulator]
TABLES = ("employer_contribution", "contribution_arrears", "wage_arrears_list")
ONLY = ("social_security",)


@pytest.fixture
def simulator(start: Start, exchange: OwnedExchange) -> RunningSimulator:
    return start(sources=ONLY, exchange_url=exchange.url, config=exchange.config)


def _as_reader(simulator: RunningSimulator, exchange: OwnedExchange) -> psycopg.Connection:
    reader = simulator.config.exchange
    return psycopg.connect(exchange.url, user=reader.user, password=reader.password)


def _rows(connection: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql.SQL("table {}").format(sql.Identifier("exchange", table))).fetchall()


def _count(connection: psycopg.Connection, table: str, after: int = 0, day: str = "") -> int:
    """Changes with a higher ``change_seq`` than ``after``, of one business date or of all."""
    query = sql.SQL("select count(*) from {} where change_seq > {} and changed_on::text like {}").format(
        sql.Identifier("exchange", table), sql.Literal(after), sql.Literal(f"{day}%")
    )
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def test_every_night_appends_its_changes(simulator: RunningSimulator, exchange: OwnedExchange) -> None:
    simulator.advance(TUESDAY)
    with _as_reader(simulator, exchange) as connection:
        for table in TABLES:
            monday, tuesday = (
                simulator.key(day).feeds[f"social_security.{table}"].delivered for day in (MONDAY, TUESDAY)
            )
            assert _count(connection, table, day="2026-03-02") == monday
            assert _count(connection, table, day="2026-03-03") == tuesday
            assert _count(connection, table, after=monday) == tuesday
        done = connection.execute("select distinct change_op from exchange.employer_contribution").fetchall()
        assert {"I", "U", "D"} <= {row[0] for row in done}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from exchange.employer_contribution",
        "update exchange.wage_arrears_list set cause = ''",
        "create table exchange.mine (x int)",
        "select * from simulator.night",
    ],
)
def test_reader_may_only_select(simulator: RunningSimulator, exchange: OwnedExchange, statement: str) -> None:
    with _as_reader(simulator, exchange) as connection:
        connection.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_down_cuts_and_refuses_the_reader(simulator: RunningSimulator, exchange: OwnedExchange) -> None:
    open_session = _as_reader(simulator, exchange)
    simulator.client.fault("down", source="social_security")
    with pytest.raises(psycopg.OperationalError):
        open_session.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        _as_reader(simulator, exchange)
    simulator.advance(MONDAY)
    simulator.client.clear("social_security")
    with _as_reader(simulator, exchange) as connection:
        assert _count(connection, "wage_arrears_list") > 100


def test_restart_doubles_nothing_and_fills_a_new_database(tmp_path: Path, exchange: OwnedExchange) -> None:
    config = {**SMALL, **exchange.config}
    with running(tmp_path, sources=ONLY, exchange_url=exchange.url, config=config) as first:
        first.advance(TUESDAY)
        with psycopg.connect(exchange.url) as connection:
            before = {table: _rows(connection, table) for table in TABLES}
    for url in (exchange.url, exchange.other_url):
        with (
            running(tmp_path, sources=ONLY, exchange_url=url),
            psycopg.connect(url) as connection,
        ):
            assert {table: _rows(connection, table) for table in TABLES} == before


def test_withheld_changes_come_last_when_sent_again(
    simulator: RunningSimulator, exchange: OwnedExchange
) -> None:
    table = "wage_arrears_list"
    simulator.client.fault("one_row", feed=f"social_security.{table}")
    simulator.advance(WEDNESDAY)
    delivered = simulator.key(MONDAY).feeds[f"social_security.{table}"].delivered
    with _as_reader(simulator, exchange) as connection:
        connection.autocommit = True
        before = _count(connection, table)
        assert _count(connection, table, day="2026-03-02") == 1
        simulator.client.redeliver(f"social_security.{table}", MONDAY)
        assert _count(connection, table, day="2026-03-02") == delivered
        assert _count(connection, table, after=before) == delivered - 1
