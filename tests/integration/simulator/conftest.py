"""A small city served from this process, its exchange database on the tests' PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, LiteralString

import httpx
import paramiko
import psycopg
import pytest
from psycopg import sql

from simulator.config import Sftp
from simulator.testing import RunningSimulator, running

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))
SMALL = {"seed": 11, "enterprises": 200, "persons": 200}
"""A city small enough to be made in a second."""


@dataclass(frozen=True)
class OwnedExchange:
    """Two empty databases of one owner, who may create roles but is no superuser, as on a shared server."""

    url: str
    other_url: str
    reader: str
    """A role name nobody else on the server uses; made by the simulator."""

    @property
    def config(self) -> dict[str, dict[str, str]]:
        return {"exchange": {"user": self.reader}}


@pytest.fixture
def exchange(postgres_server: str) -> Iterator[OwnedExchange]:
    mark = uuid.uuid4().hex[:10]
    owner, reader, databases = f"owner_{mark}", f"reader_{mark}", (f"exchange_{mark}", f"spare_{mark}")
    address = postgres_server.split("@", 1)[1].rsplit("/", 1)[0]
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        _run(connection, "create role {} login createrole password 'x'", owner)
        for database in databases:
            _run(connection, "create database {} owner {}", database, owner)
        first, second = (f"postgresql://{owner}:x@{address}/{database}" for database in databases)
        yield OwnedExchange(first, second, reader)
        for database in databases:
            _run(connection, "drop database {} with (force)", database)
        for role in (reader, owner):
            _run(connection, "drop role if exists {}", role)


def _run(connection: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningSimulator]]:
    """Starts simulators that end with the test; ``home`` may be given to start one again."""
    with ExitStack() as stack:

        def begin(home: Path = tmp_path / "simulator", **options: Any) -> RunningSimulator:
            config = {**SMALL, "tax": {"busy_share": 0}, **options.pop("config", {})}
            return stack.enter_context(running(home, config=config, **options))

        yield begin


@pytest.fixture
def sftp() -> Iterator[Callable[[Sftp], paramiko.SFTPClient]]:
    """Connects to an SFTP source as the office does."""
    with ExitStack() as stack:

        def connect(section: Sftp) -> paramiko.SFTPClient:
            transport = paramiko.Transport(("127.0.0.1", section.port))
            stack.callback(transport.close)
            transport.connect(username=section.user, password=section.password)
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            return client

        yield connect


@pytest.fixture
def api() -> Iterator[Callable[[RunningSimulator], httpx.Client]]:
    """An HTTP client of the tax API with a fresh token."""
    with ExitStack() as stack:

        def connect(simulator: RunningSimulator) -> httpx.Client:
            tax = simulator.config.tax
            client = stack.enter_context(
                httpx.Client(base_url=f"http://127.0.0.1:{tax.port}", trust_env=False)
            )
            answer = client.post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(tax.client_id, tax.client_secret),
            )
            answer.raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            return client

        yield connect
