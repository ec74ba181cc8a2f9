"""What a package says, read row by row: memory does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import class_row

_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Heading:
    """The package itself. ``rows``: returned rows; ``errors``: what is wrong with them and with whole batches."""

    package_id: int
    package_no: str
    source: str
    department_code: str
    department_name: str
    business_date: date
    number: int
    rows: int
    errors: int
    refused_batches: int


@dataclass(frozen=True)
class Returned:
    """One returned row with every error, or a refused batch (``source_row`` 0, no payload)."""

    feed: str
    feed_label: str
    batch_id: int
    delivered_for: date
    source_row: int
    payload: dict[str, Any]
    violations: list[dict[str, Any]]


@dataclass(frozen=True)
class Count:
    """Returned rows of one feed that broke one rule on one field."""

    feed: str
    feed_label: str
    error_code: int
    rule: str
    label: str
    rows: int
    suggestion: str


def heading(connection: psycopg.Connection, package_id: int) -> Heading:
    """The package with this number."""
    with connection.cursor(row_factory=class_row(Heading)) as cursor:
        found = cursor.execute(
            "select package_id, package_no, source, department_code, (select max(department_name) from ops.feed"
            " where feed.department_code = package.department_code) as department_name, business_date, number, rows,"
            " errors, refused_batches from ops.feedback_package as package where package_id = %s",
            [package_id],
        ).fetchone()
    assert found is not None
    return found


def counts(connection: psycopg.Connection, package_id: int) -> list[Count]:
    """By feed and rule, the most frequent first."""
    with connection.cursor(row_factory=class_row(Count)) as cursor:
        return cursor.execute(
            "select feed, feed_label, error_code, rule, label, count(*) as rows, min(suggestion) as suggestion from ("
            " select batch.feed, feed.feed_label, item.error_code, item.rule,"
            " case when item.source_row = 0 then '整批' else found.violation ->> 'label' end as label,"
            " coalesce(found.violation ->> 'suggestion', batch.refusal_message) as suggestion"
            " from ops.feedback_item as item join ops.batch as batch using (batch_id) join ops.feed using (feed)"
            " left join quarantine.rejected_row as row using (batch_id, source_row)"
            " cross join lateral (select row.violations -> (item.position - 1) as violation) as found"
            " where item.package_id = %s) as error"
            " group by feed, feed_label, error_code, rule, label order by feed, rows desc, error_code, label",
            [package_id],
        ).fetchall()


def returned(connection: psycopg.Connection, package_id: int) -> Iterator[Returned]:
    """Every row of the package by feed, batch and row."""
    with connection.cursor("returned", row_factory=class_row(Returned)) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(
            "select batch.feed, feed.feed_label, batch.batch_id, batch.delivered_for, item.source_row,"
            " coalesce(row.payload, '{}') as payload, coalesce(row.violations, jsonb_build_array(jsonb_build_object("
            " 'rule', item.rule, 'field', '', 'label', '整批', 'value', null, 'message', '整批退回，未入库',"
            " 'suggestion', batch.refusal_message, 'error_code', item.error_code))) as violations"
            " from ops.feedback_item as item join ops.batch as batch using (batch_id) join ops.feed using (feed)"
            " left join quarantine.rejected_row as row using (batch_id, source_row)"
            " where item.package_id = %s and item.position = 1 order by batch.feed, batch.batch_id, item.source_row",
            [package_id],
        )
        yield from cursor
