"""Real PostgreSQL for every test that wants one: a throw-away server a session, a fresh database a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from credit_warehouse.settings import get_settings
from tests import databases


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
    name = databases.create(postgres_server, prefix="template")
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("template"))
        from credit_warehouse import migrations

        migrations.apply()
    get_settings.cache_clear()
    return name


@pytest.fixture
def warehouse(
    postgres_server: str, warehouse_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a migrated, empty warehouse of this test alone; settings point at it, CREDIT_HOME at a temporary folder."""
    name = databases.create(postgres_server, warehouse_template)
    yield databases.use(monkeypatch, postgres_server, name, tmp_path / "home")
    databases.drop(postgres_server, name)
    get_settings.cache_clear()
