"""Databases of the tests: made from a template, dropped afterwards, and what the settings point at."""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from credit_warehouse.settings import get_settings

PEPPER = "pepper-of-the-tests"


def create(server: str, template: str = "template1", prefix: str = "test") -> str:
    """Make a database on ``server`` and return its name."""
    name = f"{prefix}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return name


def drop(server: str, name: str) -> None:
    """Drop it, whoever is connected."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def url_of(server: str, name: str) -> str:
    """URL of a database on the same server."""
    return server.rsplit("/", 1)[0] + f"/{name}"


def use(patch: pytest.MonkeyPatch, server: str, name: str, home: Path) -> str:
    """Point the settings at a database and a home, and return its URL."""
    home.mkdir(parents=True, exist_ok=True)
    patch.setenv("CREDIT_DATABASE_URL", url_of(server, name))
    patch.setenv("CREDIT_HOME", str(home))
    patch.setenv("CREDIT_PEPPER", PEPPER)
    patch.setenv("CREDIT_CLOCK", "nights")
    get_settings.cache_clear()
    return url_of(server, name)
