"""What the platform should hold against what it holds: the rows of the next package, set-wise in the database.

Shareable is a record of the current publication that is in force, of the public or the government tier, from a batch that
is still accepted, and that its own row rules let pass today. Display over means called back too: expired information is
neither shown nor used (DOMAIN.md §1.5 P三(三), §4.4), and the platform shows what it holds.
"""

from __future__ import annotations

from datetime import date
from typing import LiteralString

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract
from credit_warehouse.upward.form import cells

SHAREABLE: LiteralString = (
    "record.status = 'in_force' and record.sharing_tier in ('public', 'government') and exists ("
    " select from ops.batch where batch.batch_id = record.batch_id and batch.state = 'accepted')"
)
"""Condition over ``mart.queryable_credit_record as record``."""


def compare(
    connection: psycopg.Connection,
    platform: str,
    contracts: list[FeedContract],
    removals_only: bool,
    retry: bool,
) -> None:
    """Make the temporary tables of this transaction.

    ``exchange_wanted``: what the platform should hold, by record. ``exchange_far``: what it holds as far as is known.
    ``exchange_fresh``: rows to send, with operation, cells and digest; none if ``removals_only``. Cells are made for
    records whose version changed only: raw rows never change. Rows refused or held before are left out until they change,
    or with ``retry``.
    """
    connection.execute(_TABLES)
    feeds = [contract.feed for contract in contracts]
    connection.execute(_FAR, [platform])
    connection.execute(sql.SQL(_WANTED).format(shareable=sql.SQL(SHAREABLE)), [feeds])
    connection.execute("analyze exchange_far, exchange_wanted")
    if removals_only:
        return
    for contract in contracts:
        connection.execute(
            sql.SQL(_FRESH).format(cells=cells(contract), raw=sql.Identifier("raw", contract.relation)),
            [contract.feed],
        )
    connection.execute(_UNCHANGED)
    if retry:
        connection.execute("delete from ops.exchange_held where platform = %s", [platform])
    else:
        connection.execute(_REFUSED, [platform])
    _leave_out_held(connection, platform)


def hold(
    connection: psycopg.Connection,
    platform: str,
    feed: str,
    violations: dict[int, str],
    business_date: date,
) -> None:
    """Rows of one feed's file (row number → broken rules, JSON) do not leave; what the platform has of them is called back."""
    connection.execute("create temporary table exchange_broken (row bigint, violations jsonb) on commit drop")
    with connection.cursor() as cursor:
        cursor.executemany("insert into exchange_broken values (%s, %s)", list(violations.items()))
    connection.execute(_HOLD, {"platform": platform, "feed": feed, "day": business_date})
    connection.execute("drop table exchange_broken")
    _leave_out_held(connection, platform)


def _leave_out_held(connection: psycopg.Connection, platform: str) -> None:
    connection.execute(
        "delete from exchange_wanted using exchange_fresh as fresh, ops.exchange_held as held"
        " where exchange_wanted.record_key = fresh.record_key and held.platform = %s"
        " and held.record_key = fresh.record_key and held.digest = fresh.digest",
        [platform],
    )
    connection.execute(
        "delete from exchange_fresh where not exists ("
        " select from exchange_wanted as wanted where wanted.record_key = exchange_fresh.record_key)"
    )


def copy_rows(contract: FeedContract) -> sql.Composed:
    """COPY statement of one feed's rows: operation and key, then the contract's columns under their headers."""
    columns = sql.SQL(", ").join(
        sql.SQL("cells[{}] as {}").format(number, sql.Identifier(field.header))
        for number, field in enumerate(contract.fields, 1)
    )
    return sql.SQL(
        "copy (select operation, record_key, {columns} from exchange_fresh where feed = {feed} order by record_key)"
        " to stdout with (format csv, header true)"
    ).format(columns=columns, feed=contract.feed)


def call_back(connection: psycopg.Connection) -> None:
    """Table ``exchange_call_back``: rows the platform holds, or may hold, and should not, with the reason."""
    connection.execute(_CALL_BACK)


COPY_CALL_BACKS: LiteralString = (
    "copy (select 'delete' as operation, record_key, feed, call_back_reason as reason from exchange_call_back"
    " order by record_key) to stdout with (format csv, header true)"
)

_TABLES: LiteralString = """
    create temporary table exchange_far (
        record_key uuid primary key, feed text, batch_id bigint, source_row bigint, operation text, digest text,
        is_certain boolean
    ) on commit drop;
    create temporary table exchange_wanted (
        record_key uuid primary key, feed text, batch_id bigint, source_row bigint
    ) on commit drop;
    create temporary table exchange_fresh (
        record_key uuid primary key, feed text, batch_id bigint, source_row bigint, operation text, digest text,
        cells text[]
    ) on commit drop;
"""

_FAR: LiteralString = (
    "insert into exchange_far select record_key, feed, batch_id, source_row, operation, digest, is_certain"
    " from ops.exchange_far_side where platform = %s"
)

_WANTED: LiteralString = (
    "insert into exchange_wanted select record.record_key, record.feed, record.batch_id, record.source_row"
    " from mart.queryable_credit_record as record where record.feed = any(%s) and {shareable}"
)

_FRESH: LiteralString = """
    insert into exchange_fresh
    select
        made.record_key, made.feed, made.batch_id, made.source_row, made.operation,
        encode(sha256(convert_to(made.feed || made.cells::text, 'UTF8')), 'hex'), made.cells
    from (
        select
            wanted.record_key, wanted.feed, wanted.batch_id, wanted.source_row,
            case when far.operation in ('insert', 'update') then 'update' else 'insert' end as operation,
            {cells} as cells
        from exchange_wanted as wanted
        inner join {raw} as delivered
            on wanted.batch_id = delivered.batch_id and wanted.source_row = delivered.source_row
        left join exchange_far as far on wanted.record_key = far.record_key
        where wanted.feed = %s
            and (
                far.record_key is null or far.operation = 'delete' or not far.is_certain
                or (far.feed, far.batch_id, far.source_row) <> (wanted.feed, wanted.batch_id, wanted.source_row)
            )
    ) as made
"""

# Delivered again, word for word.
_UNCHANGED: LiteralString = """
    delete from exchange_fresh using exchange_far as far
    where exchange_fresh.record_key = far.record_key and far.operation <> 'delete' and far.is_certain
        and exchange_fresh.digest = far.digest
"""

_REFUSED: LiteralString = """
    delete from exchange_fresh using ops.exchange_refusal as refusal
    where refusal.platform = %s and exchange_fresh.record_key = refusal.record_key
        and refusal.operation <> 'delete' and exchange_fresh.digest = refusal.digest
"""

_HOLD: LiteralString = """
    with numbered as (
        select record_key, feed, digest, row_number() over (order by record_key) as row
        from exchange_fresh where feed = %(feed)s
    )
    insert into ops.exchange_held (platform, record_key, feed, digest, violations, business_date)
    select %(platform)s, numbered.record_key, numbered.feed, numbered.digest, broken.violations, %(day)s
    from numbered inner join exchange_broken as broken using (row)
    on conflict (platform, record_key) do update
    set feed = excluded.feed, digest = excluded.digest, violations = excluded.violations,
        business_date = excluded.business_date, held_at = clock_timestamp()
"""

_CALL_BACK: LiteralString = """
    create temporary table exchange_call_back on commit drop as
    select
        far.*,
        coalesce(
            (
                select removal.kind from ops.suppression as removal
                where removal.record_key = far.record_key order by removal.entered_at desc limit 1
            ),
            (
                select record.status from mart.queryable_credit_record as record
                where record.record_key = far.record_key and record.status <> 'in_force'
            ),
            'not_shareable'
        ) as call_back_reason
    from exchange_far as far
    where (far.operation <> 'delete' or not far.is_certain)
        and not exists (select from exchange_wanted as wanted where wanted.record_key = far.record_key)
"""
