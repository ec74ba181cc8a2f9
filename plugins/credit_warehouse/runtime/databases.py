"""The four databases and their owners on any PostgreSQL server that we may administer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

GROUP_ROLES = (
    "credit_etl", "credit_reader", "credit_leader", "credit_analyst", "credit_department", "credit_officer", "credit_auditor",
)  # fmt: skip


@dataclass(frozen=True)
class Database:
    """A database and the login role that owns it."""

    name: str
    owner: str
    password: str
    create_role: bool = False  # whether the owner may make group roles
    log_readers: bool = False  # whether the owner may have what its readers ask written to the server's log

    @classmethod
    def from_url(cls, url: str, *, create_role: bool = False, log_readers: bool = False) -> "Database":
        """What a `postgresql://owner:password@host:port/name` names."""
        parts = urlsplit(url)
        return cls(
            parts.path.lstrip("/"),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            create_role,
            log_readers,
        )


def ours(values: Mapping[str, str]) -> list[Database]:
    """The databases of a system with these settings: warehouse, Airflow's metadata, exchange, Superset's."""
    warehouse = Database.from_url(values["CREDIT_DATABASE_URL"], create_role=True, log_readers=True)
    airflow = Database.from_url(values["CREDIT_AIRFLOW_DATABASE_URL"])
    exchange_url = values.get("CREDIT_EXCHANGE_ADMIN_URL", "")
    # Its owner makes the reader's login, as the real exchange's administrator does.
    exchange = [Database.from_url(exchange_url, create_role=True)] if exchange_url else []
    superset_url = values.get("CREDIT_SUPERSET_DATABASE_URL", "")
    superset = [Database.from_url(superset_url)] if superset_url else []
    return [warehouse, airflow, *exchange, *superset]


def ensure(admin_url: str, databases: Iterable[Database]) -> None:
    """Make what is missing and set the owners' passwords; safe to repeat. `admin_url` is a superuser's."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for database in databases:
            _ensure_login(connection, database)
            exists = connection.execute(
                "select from pg_database where datname = %s", [database.name]
            ).fetchone()
            if exists is None:
                connection.execute(
                    sql.SQL("create database {} owner {}").format(
                        sql.Identifier(database.name), sql.Identifier(database.owner)
                    )
                )


def _ensure_login(connection: psycopg.Connection[Any], database: Database) -> None:
    exists = connection.execute("select from pg_roles where rolname = %s", [database.owner]).fetchone()
    connection.execute(
        sql.SQL("{} role {} login {} password {}").format(
            sql.SQL("create" if exists is None else "alter"),
            sql.Identifier(database.owner),
            sql.SQL("createrole" if database.create_role else "nocreaterole"),
            sql.Literal(database.password),
        )
    )
    if database.log_readers:
        connection.execute(
            sql.SQL("grant set on parameter log_statement to {}").format(sql.Identifier(database.owner))
        )
    if database.create_role:
        _share_group_roles(connection, database.owner)
        # Without it PostgreSQL 16+ lets a role's maker alter the role, but neither act for it nor end its sessions.
        connection.execute(
            sql.SQL("alter role {} set createrole_self_grant = 'set, inherit'").format(
                sql.Identifier(database.owner)
            )
        )


def _share_group_roles(connection: psycopg.Connection[Any], owner: str) -> None:
    """Group roles belong to the whole server: those another system made there are given to this owner too."""
    existing = connection.execute("select rolname from pg_roles where rolname = any(%s)", [list(GROUP_ROLES)])
    for (role,) in existing.fetchall():
        connection.execute(
            sql.SQL("grant {} to {} with admin option").format(sql.Identifier(role), sql.Identifier(owner))
        )
