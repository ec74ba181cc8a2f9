"""The departments' servers inside the test process, and a night's intake without Airflow."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from credit_warehouse import pipeline
from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import load_contracts
from simulator.testing import RunningSimulator, running

SMALL_CITY = {"enterprises": 800, "persons": 500}


def endpoints(
    simulator: RunningSimulator, exchange_database: str, postgres_server: str
) -> dict[str, Endpoint]:
    """How to reach each department, by connection id."""
    config = simulator.config
    server = psycopg.conninfo.conninfo_to_dict(postgres_server)
    return {
        **{
            source: Endpoint(
                "sftp", config.host, sftp.port, sftp.user, sftp.password, {"host_key": sftp.host_key}
            )
            for source, sftp in config.sftp.items()
        },
        "tax": Endpoint("http", config.host, config.tax.port, config.tax.client_id, config.tax.client_secret),
        "social_security": Endpoint(
            "postgres",
            str(server["host"]),
            int(str(server["port"])),
            config.exchange.user,
            config.exchange.password,
            {"database": exchange_database},
        ),
    }


class Nights:
    """A city whose nights are taken in one after the other, by the same verbs the DAGs call."""

    def __init__(self, simulator: RunningSimulator, reach: dict[str, Endpoint]) -> None:
        self.simulator = simulator
        self.reach = reach

    def intake(self, night: date, sources: tuple[str, ...] | None = None) -> dict[str, str]:
        """Pull, load, gate and settle; a source that is down answers late. Returns feed → answer."""
        answers: dict[str, str] = {}
        feeds = load_contracts()
        for source in sources or tuple(sorted({contract.source for contract in feeds.values()})):
            own = [feed for feed, contract in feeds.items() if contract.source == source]
            with suppress(pipeline.FeedsFailed):  # what the scheduler's retries come to in the end
                pipeline.pull_all(dict.fromkeys(own, self.reach[source]), night)
            pipeline.load_all(own, night)
            pipeline.gate(source, night)
            answers |= pipeline.settle(source, night)
        return answers


@pytest.fixture
def simulator_with(
    warehouse: str, postgres_server: str, tmp_path: Path
) -> Iterator[Callable[..., AbstractContextManager[Nights]]]:
    """Start the departments with a configuration of the test's own."""
    database = f"exchange_{uuid.uuid4().hex[:12]}"

    @contextmanager
    def start(**config: Any) -> Iterator[Nights]:
        url = postgres_server.rsplit("/", 1)[0] + f"/{database}"
        with running(tmp_path / "simulator", exchange_url=url, config={**SMALL_CITY, **config}) as simulator:
            yield Nights(simulator, endpoints(simulator, database, postgres_server))

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    yield start
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))


@pytest.fixture
def nights(simulator_with: Callable[..., AbstractContextManager[Nights]]) -> Iterator[Nights]:
    """A small city with all five departments up."""
    with simulator_with() as city:
        yield city
