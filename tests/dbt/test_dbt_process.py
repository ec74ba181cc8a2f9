"""Sessions that go on to dbt's next node: clean, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from dbt.adapters.contracts.connection import Connection
from dbt.adapters.postgres.connections import PostgresConnectionManager

from credit_warehouse.database import connect
from credit_warehouse.transform.dbt_process import keep_sessions

keep_sessions()


class OneSession(PostgresConnectionManager):
    """dbt's manager of a thread that has this connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get_if_exists(self) -> Connection:
        return self.connection


@pytest.fixture
def manager(warehouse: str) -> Iterator[OneSession]:
    handle: Any = psycopg2.connect(warehouse, options="-c credit.publication=7")
    yield OneSession(
        Connection(type="postgres", name="model.one", credentials=None, state="open", handle=handle)
    )
    handle.close()


def _answer(manager: OneSession, question: str) -> object:
    cursor = manager.connection.handle.cursor()
    cursor.execute(question)
    return cursor.fetchone()[0]


def test_the_next_node_finds_the_session_as_it_began(manager: OneSession) -> None:
    pid = _answer(manager, "select pg_backend_pid()")
    manager.connection.handle.cursor().execute(
        "create temporary table model_one__dbt_tmp as select 1 as x; set work_mem = '65kB'; set credit.publication = 8;"
    )
    manager.connection.handle.commit()
    manager.connection.handle.cursor().execute("create table core.half_done (x int)")
    manager.connection.transaction_open = True
    manager.release()
    assert manager.connection.state == "open"
    assert not manager.connection.transaction_open
    assert _answer(manager, "select pg_backend_pid()") == pid
    assert _answer(manager, "select to_regclass('model_one__dbt_tmp')") is None
    assert _answer(manager, "select to_regclass('core.half_done')") is None
    assert _answer(manager, "show work_mem") != "65kB"
    assert _answer(manager, "show credit.publication") == "7", "what the process was started with stays"


def test_a_broken_session_is_not_handed_on(manager: OneSession) -> None:
    pid = _answer(manager, "select pg_backend_pid()")
    with connect() as connection:
        connection.execute("select pg_terminate_backend(%s, 10000)", [pid])
    manager.release()
    assert manager.connection.state == "closed"


def test_a_session_never_opened_stays_so(manager: OneSession) -> None:
    manager.connection.state = "init"  # type: ignore[assignment]
    manager.release()
    assert manager.connection.state == "init"
