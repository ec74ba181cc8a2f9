"""Connections to the warehouse."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from credit_warehouse.settings import get_settings


def database_url() -> str:
    """libpq URL of the warehouse.

    Raises:
        RuntimeError: no database is configured; ``make up`` starts one.
    """
    url = get_settings().database_url
    if url is None:
        raise RuntimeError(
            "CREDIT_DATABASE_URL is not set: run `make up`, or point it at a PostgreSQL server"
        )
    return url.get_secret_value()


def connect(publication: int | None = None, **options: Any) -> psycopg.Connection:
    """A connection to the warehouse, in a transaction that commits when its ``with`` block ends well.

    ``publication`` pins every mart read of the session to that publication.
    """
    if publication is not None:
        options["options"] = f"-c credit.publication={publication:d}"
    options.setdefault("application_name", "credit_warehouse")
    return psycopg.connect(make_conninfo(database_url(), **options))


def sqlalchemy_url() -> str:
    """The same database for SQLAlchemy, through psycopg 3."""
    return database_url().replace("postgresql://", "postgresql+psycopg://", 1)
