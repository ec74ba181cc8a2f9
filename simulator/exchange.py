"""The social security exchange database (前置库): schema ``exchange``, one table per feed, one row per change.

Business columns are text, as in real exchange databases: the department hands over whatever was typed. ``change_seq``
grows by one per change in commit order; ``changed_on`` is the business date of the change. ``feedback`` is the one table
the reader may add to; the department's trigger writes the receipt number.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from simulator.feeds import feeds_of
from simulator.rows import Row
from simulator.schema import Feed

FEEDS = {feed.id: feed for feed in feeds_of("social_security")}


class Exchange:
    """The department's side of the exchange database.

    Args:
        admin_url: URL of a role that may create schemas and roles; its database is created if missing.
        reader, password: the role the credit office reads with; it may only select.
    """

    def __init__(self, admin_url: str, reader: str, password: str) -> None:
        self._url = admin_url
        self.reader = reader
        self._password = password

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._url, application_name="simulator")

    def prepare(self) -> None:
        """Database, schema, tables, reader role and grants. May be run any number of times."""
        self._create_database()
        with self._connect() as connection:
            connection.execute("create schema if not exists exchange")
            connection.execute("create schema if not exists simulator")
            connection.execute("create table if not exists simulator.night (business_date date primary key)")
            for feed in FEEDS.values():
                connection.execute(_table(feed))
            connection.execute(_FEEDBACK)
            self._create_reader(connection)

    def _create_database(self) -> None:
        try:
            self._connect().close()
        except psycopg.OperationalError as error:
            name = conninfo_to_dict(self._url).get("dbname")
            if not name or f'database "{name}" does not exist' not in str(error):
                raise
            maintenance = make_conninfo(self._url, dbname="postgres")
            with psycopg.connect(maintenance, autocommit=True) as connection:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(str(name))))

    def _create_reader(self, connection: psycopg.Connection) -> None:
        reader = sql.Identifier(self.reader)
        known = connection.execute("select 1 from pg_roles where rolname = %s", (self.reader,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("create role {}").format(reader))
        connection.execute(
            sql.SQL("alter role {} login password {}").format(reader, sql.Literal(self._password))
        )
        for statement in (
            "grant usage on schema exchange to {}",
            "grant select on all tables in schema exchange to {}",
            "grant insert on exchange.feedback to {}",
            "alter role {} set default_transaction_read_only = on",
            # Cutting a role's sessions takes its privileges.
            "grant {} to current_user",
        ):
            connection.execute(sql.SQL(statement).format(reader))

    def set_feedback(self, is_taken: bool) -> None:
        """Let the reader add to the feedback table, or not."""
        with self._connect() as connection:
            verb = (
                "grant insert on exchange.feedback to {}"
                if is_taken
                else "revoke insert on exchange.feedback from {}"
            )
            connection.execute(sql.SQL(verb).format(sql.Identifier(self.reader)))

    def nights(self) -> set[date]:
        """Business dates already written."""
        with self._connect() as connection:
            return {row[0] for row in connection.execute("select business_date from simulator.night")}

    def write_night(self, day: date, deliveries: dict[str, Iterable[Row]]) -> None:
        """All feeds of one night in one transaction; a night already written is left as it is."""
        with self._connect() as connection:
            fresh = connection.execute(
                "insert into simulator.night values (%s) on conflict do nothing returning 1", (day,)
            ).fetchone()
            for feed_id, rows in deliveries.items():
                if fresh:
                    _append(connection, FEEDS[feed_id], day, rows)

    def redeliver(self, feed_id: str, day: date, rows: Iterable[Row]) -> None:
        """Write a night's changes of one feed that were withheld; they come last in ``change_seq``."""
        with self._connect() as connection:
            _append(connection, FEEDS[feed_id], day, rows)

    def set_reachable(self, reachable: bool) -> None:
        """Let the reader in, or keep it out and cut its sessions."""
        with self._connect() as connection:
            option = sql.SQL("login" if reachable else "nologin")
            connection.execute(sql.SQL("alter role {} {}").format(sql.Identifier(self.reader), option))
            if not reachable:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s",
                    (self.reader,),
                )


_FEEDBACK = """
    create table if not exists exchange.feedback (
        package_no text not null, line_no int not null, business_date date not null, feed text not null,
        batch_id bigint not null, source_row bigint not null, error_code int not null, field_label text not null,
        rule text not null, message text not null, delivered_value text, suggestion text, payload jsonb not null,
        receipt_no text, received_at timestamptz not null default clock_timestamp(), primary key (package_no, line_no)
    );
    create or replace function simulator.acknowledge() returns trigger language plpgsql as $$
    begin
        new.receipt_no := 'HZ' || upper(left(md5(new.package_no), 16));
        return new;
    end $$;
    create or replace trigger acknowledge before insert on exchange.feedback
        for each row execute function simulator.acknowledge();
"""


def _columns(feed: Feed) -> list[str]:
    return [f.header for f in feed.fields]


def _table(feed: Feed) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in _columns(feed))
    return sql.SQL(
        "create table if not exists exchange.{} ({}, change_seq bigint primary key, changed_on date not null)"
    ).format(sql.Identifier(feed.name), columns)


def _append(connection: psycopg.Connection, feed: Feed, day: date, rows: Iterable[Row]) -> None:
    table = sql.Identifier("exchange", feed.name)
    found = connection.execute(
        sql.SQL("select coalesce(max(change_seq), 0) from {}").format(table)
    ).fetchone()
    sequence = int(found[0]) if found else 0
    names = [*_columns(feed), "change_seq", "changed_on"]
    copy = sql.SQL("copy {} ({}) from stdin").format(table, sql.SQL(", ").join(map(sql.Identifier, names)))
    with connection.cursor().copy(copy) as stream:
        for row in rows:
            sequence += 1
            stream.write_row([*row.cells(feed), sequence, day])
