"""Connections to the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
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
    # A lock that is not had in this time is held by somebody who must be told about, not waited for all night.
    options["options"] = f"-c lock_timeout={get_settings().lock_timeout_seconds}s"
    if publication is not None:
        options["options"] += f" -c credit.publication={publication:d}"
    options.setdefault("application_name", "credit_warehouse")
    return psycopg.connect(make_conninfo(database_url(), **options))


@contextmanager
def alone(work: str, on: str = "") -> Iterator[None]:
    """Do a piece of work on something while nobody else does the same anywhere: a second scheduler waits its turn.

    Raises:
        psycopg.errors.LockNotAvailable: the other did not end in time.
    """
    with connect() as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [f"alone.{work}", on])
        yield


def insert_rows(connection: psycopg.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add ``rows``, all with the same columns, to ``ops.<table>``."""
    with connection.cursor() as cursor:
        cursor.executemany(_insertion(table, list(rows[0])), rows)


def _insertion(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier("ops", table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )


def replace_rows(
    connection: psycopg.Connection, table: str, key: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Make ``ops.<table>`` hold exactly ``rows``, all with the same columns; what others refer to keeps its row.

    Raises:
        psycopg.errors.ForeignKeyViolation: a row that is no more among ``rows`` is still referred to.
    """
    columns = list(rows[0])
    keys = sql.SQL(", ").join(map(sql.Identifier, key))
    changes = [name for name in columns if name not in key]
    upsert = sql.SQL("{} on conflict ({}) do {}").format(
        _insertion(table, columns),
        keys,
        sql.SQL("update set {}").format(
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in changes)
        )
        if changes
        else sql.SQL("nothing"),
    )
    with connection.cursor() as cursor:
        cursor.executemany(upsert, rows)
    kept = {tuple(row[name] for name in key) for row in rows}
    stale = [
        found
        for found in connection.execute(
            sql.SQL("select {} from {}").format(keys, sql.Identifier("ops", table))
        )
        if found not in kept
    ]
    if stale:
        condition = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in key)
        delete = sql.SQL("delete from {} where {}").format(sql.Identifier("ops", table), condition)
        with connection.cursor() as cursor:
            cursor.executemany(delete, stale)


def sqlalchemy_url() -> str:
    """The same database for SQLAlchemy, through psycopg 3."""
    return database_url().replace("postgresql://", "postgresql+psycopg://", 1)
