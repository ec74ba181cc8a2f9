"""An exchange database (前置库): the department appends changes, we read past our watermark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.sources.arrival import Arrival, Taken
from credit_warehouse.troubles import raise_if_ours

_WINDOW_COLUMN = "changed_on"
"""Transport column that dates the change; it bounds the window and is no data item."""


def take(
    contract: FeedContract, business_date: date, endpoint: Endpoint, taken: Taken, scratch: Path
) -> Iterator[Arrival]:
    """Changes after the watermark, dated up to ``business_date``, as one CSV file.

    Raises:
        SourceUnavailable: the database does not answer, or the connection broke.
    """
    since = int(taken.watermark or 0)
    target = scratch / "changes.csv"
    schema, table = contract.terms.delivery.path.split(".")
    try:
        with _session(endpoint) as connection:
            until = _copy_window(connection, schema, table, since, business_date, target)
    except (psycopg.Error, OSError) as error:
        raise_if_ours(error)
        raise SourceUnavailable(f"{contract.department_label}的前置库无法连接或读取失败：{error}") from error
    window_id = f"{contract.terms.delivery.path}:{since}..{until}@{business_date}"
    yield Arrival(target, f"{contract.name}.csv", window_id, business_date, str(until))


def _session(endpoint: Endpoint) -> psycopg.Connection:
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.extra.get("database", "exchange"),
        connect_timeout=15,
        application_name="credit_warehouse_intake",
        # One snapshot for the window's end and its rows; we never write there.
        options="-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read",
    )


def _copy_window(
    connection: psycopg.Connection, schema: str, table: str, since: int, business_date: date, target: Path
) -> int:
    relation = sql.Identifier(schema, table)
    condition = sql.SQL("change_seq > {} and changed_on <= {}").format(
        sql.Literal(since), sql.Literal(business_date)
    )
    found = connection.execute(
        sql.SQL("select coalesce(max(change_seq), {}) from {} where {}").format(
            sql.Literal(since), relation, condition
        )
    ).fetchone()
    columns = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s"
        " and column_name <> %s order by ordinal_position",
        [schema, table, _WINDOW_COLUMN],
    ).fetchall()
    names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in columns)
    statement = sql.SQL(
        "copy (select {} from {} where {} order by change_seq) to stdout (format csv, header)"
    ).format(names, relation, condition)
    with target.open("wb") as out, connection.cursor().copy(statement) as copy:
        for block in copy:
            out.write(block)
    return int(found[0]) if found else since
