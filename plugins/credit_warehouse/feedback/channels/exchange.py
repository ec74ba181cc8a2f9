"""Rows of the exchange database's feedback table; the department's system writes the receipt number beside them."""

from __future__ import annotations

import json

import psycopg
from psycopg import sql

from credit_warehouse.connections import Endpoint
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.feedback.address import Address
from credit_warehouse.feedback.channels.handover import FeedbackRefused, Handover
from credit_warehouse.feedback.package import Package

COLUMNS = (
    "package_no", "line_no", "business_date", "feed", "batch_id", "source_row", "error_code", "field_label", "rule",
    "message", "delivered_value", "suggestion", "payload",
)  # fmt: skip
"""Grain: one error. ``receipt_no`` is the department's to fill."""


def send(package: Package, address: Address, endpoint: Endpoint) -> Handover:
    """Insert the package's rows in one transaction, unless they are there.

    Raises:
        SourceUnavailable: the database does not answer, or the connection broke.
        FeedbackRefused: the database does not let us write, or refuses the rows.
    """
    table = sql.Identifier(*address.path.split("."))
    try:
        with _session(endpoint) as connection:
            if not _held(connection, table, package):
                _insert(connection, table, package)
        with _session(endpoint) as connection:
            return Handover(address.path, _receipt(connection, table, package))
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.IntegrityError,
        psycopg.errors.RaiseException,
    ) as error:
        raise FeedbackRefused(f"前置库拒收：{error.diag.message_primary}") from error
    except (psycopg.Error, OSError) as error:
        raise SourceUnavailable(f"前置库无法连接或写入失败：{error}") from error


def _session(endpoint: Endpoint) -> psycopg.Connection:
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.extra.get("database", "exchange"),
        connect_timeout=15,
        application_name="credit_warehouse_feedback",
        # The role reads by default; this is the one table it may add to.
        options="-c default_transaction_read_only=off",
    )


def _held(connection: psycopg.Connection, table: sql.Identifier, package: Package) -> bool:
    found = connection.execute(
        sql.SQL("select exists (select from {} where package_no = %s)").format(table),
        [package.heading.package_no],
    ).fetchone()
    return found == (True,)


def _insert(connection: psycopg.Connection, table: sql.Identifier, package: Package) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    statement = sql.SQL("copy {} ({}) from stdin").format(table, columns)
    line = 0
    with connection.cursor().copy(statement) as copy:
        for row in package.rows():
            for violation in row["violations"]:
                line += 1
                copy.write_row(
                    (
                        package.heading.package_no,
                        line,
                        package.heading.business_date,
                        row["feed"],
                        row["batch_id"],
                        row["source_row"],
                        violation["error_code"],
                        violation["label"],
                        violation["rule"],
                        violation["message"],
                        violation["value"],
                        violation["suggestion"],
                        json.dumps(row["payload"], ensure_ascii=False),
                    )
                )


def _receipt(connection: psycopg.Connection, table: sql.Identifier, package: Package) -> str | None:
    """One number for the whole package, once every row has it."""
    found = connection.execute(
        sql.SQL(
            "select min(receipt_no) from {} where package_no = %s"
            " having count(*) = %s and count(receipt_no) = count(*) and min(receipt_no) = max(receipt_no)"
        ).format(table),
        [package.heading.package_no, package.heading.errors],
    ).fetchone()
    return str(found[0]) if found else None
