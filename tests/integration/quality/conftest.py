"""Databases for the gates: a city built by the real dbt project once a session, copied for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings
from tests import databases

from .city import FIRST_NIGHT, SECOND_NIGHT, build_city, plant_package


@pytest.fixture(scope="session")
def built_city(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Database with candidate 1 of the first night, built."""
    from credit_warehouse.transform import dbt_build

    name = databases.create(postgres_server, warehouse_template)
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("city"))
        with connect() as connection:
            build_city(connection)
        candidate = publication.open_candidate(FIRST_NIGHT)
        assert candidate is not None
        with connect() as connection:
            plant_package(connection, candidate.publication_id)
        dbt_build("core", candidate.publication_id, FIRST_NIGHT)
        dbt_build("marts", candidate.publication_id, FIRST_NIGHT)
    get_settings.cache_clear()
    yield name
    databases.drop(postgres_server, name)


@pytest.fixture
def first_candidate(
    postgres_server: str, built_city: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """The open candidate of the first night, in a database of this test."""
    name = databases.create(postgres_server, built_city)
    databases.use(monkeypatch, postgres_server, name, tmp_path)
    yield 1
    get_settings.cache_clear()
    databases.drop(postgres_server, name)


@pytest.fixture
def second_candidate(first_candidate: int) -> int:
    """The night after, with nothing new: publication 1 is out, candidate 2 is open and equal to it."""
    publication.publish(first_candidate, "test")
    candidate = publication.open_candidate(SECOND_NIGHT)
    assert candidate is not None
    return candidate.publication_id
