"""Real PostgreSQL for every test that wants one: a throw-away server a session, a fresh database a test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from credit_warehouse.settings import get_settings

PEPPER = "pepper-of-the-tests"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Admin URL of a server: the one in CREDIT_TEST_POSTGRES_URL, else an embedded one of this session."""
    given = os.environ.get("CREDIT_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    from credit_warehouse.runtime.embedded import EmbeddedPostgres

    server = EmbeddedPostgres(home=tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    try:
        yield server.admin_url("postgres")
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def warehouse_template(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a migrated database the others are copied from."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as patch:
        _create(postgres_server, name)
        _use(patch, _url(postgres_server, name), tmp_path_factory.mktemp("template"))
        from credit_warehouse import migrations

        migrations.apply()
    get_settings.cache_clear()
    return name


@pytest.fixture
def warehouse(
    postgres_server: str, warehouse_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a migrated, empty warehouse of this test alone; settings point at it, CREDIT_HOME at a temporary folder."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _create(postgres_server, name, warehouse_template)
    _use(monkeypatch, _url(postgres_server, name), tmp_path / "home")
    yield _url(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
    get_settings.cache_clear()


def _create(server: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def _url(server: str, database: str) -> str:
    return server.rsplit("/", 1)[0] + f"/{database}"


def _use(patch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    patch.setenv("CREDIT_DATABASE_URL", url)
    patch.setenv("CREDIT_HOME", str(home))
    patch.setenv("CREDIT_PEPPER", PEPPER)
    patch.setenv("CREDIT_CLOCK", "nights")
    get_settings.cache_clear()
