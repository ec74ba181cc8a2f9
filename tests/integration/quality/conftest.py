"""Databases for the gates: a city built by the real dbt project once a session, copied for every test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings

from .city import FIRST_NIGHT, SECOND_NIGHT, build_city


def _copy(server: str, template: str) -> str:
    name = f"quality_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return name


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _use(patch: pytest.MonkeyPatch, server: str, name: str, home: Path) -> None:
    patch.setenv("CREDIT_DATABASE_URL", server.rsplit("/", 1)[0] + f"/{name}")
    patch.setenv("CREDIT_HOME", str(home))
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def built_city(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Database with candidate 1 of the first night, built."""
    from credit_warehouse.transform import dbt_build

    name = _copy(postgres_server, warehouse_template)
    with pytest.MonkeyPatch.context() as patch:
        _use(patch, postgres_server, name, tmp_path_factory.mktemp("city"))
        with connect() as connection:
            build_city(connection)
        candidate = publication.open_candidate(FIRST_NIGHT)
        assert candidate is not None
        dbt_build("core", candidate.publication_id, FIRST_NIGHT)
        dbt_build("marts", candidate.publication_id, FIRST_NIGHT)
    get_settings.cache_clear()
    yield name
    _drop(postgres_server, name)


@pytest.fixture
def first_candidate(
    postgres_server: str, built_city: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """The open candidate of the first night, in a database of this test."""
    name = _copy(postgres_server, built_city)
    _use(monkeypatch, postgres_server, name, tmp_path)
    yield 1
    get_settings.cache_clear()
    _drop(postgres_server, name)


@pytest.fixture
def second_candidate(first_candidate: int) -> int:
    """The night after, with nothing new: publication 1 is out, candidate 2 is open and equal to it."""
    publication.publish(first_candidate, "test")
    candidate = publication.open_candidate(SECOND_NIGHT)
    assert candidate is not None
    return candidate.publication_id
