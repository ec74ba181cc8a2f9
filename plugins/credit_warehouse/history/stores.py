"""The versioned tables behind the marts, as all work on history sees them."""

from __future__ import annotations

import psycopg
from psycopg import sql

VERSIONS = ("valid_from_publication", "valid_to_publication")


def names(connection: psycopg.Connection) -> list[str]:
    """Every store of row versions, in order."""
    found = connection.execute(
        "select relname from pg_class where relnamespace = 'mart_store'::regnamespace and relkind = 'r' order by 1"
    )
    return [name for (name,) in found]


def columns(connection: psycopg.Connection, store: str) -> list[str]:
    """Its columns without the two that say in which publications a row holds, by name."""
    found = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attname <> all(%s) order by attname",
        [f"mart_store.{store}", list(VERSIONS)],
    )
    return [name for (name,) in found]


def table(store: str) -> sql.Identifier:
    return sql.Identifier("mart_store", store)
