"""The batch ledger: which deliveries there are and what became of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import class_row

from credit_warehouse.contracts import FeedContract


@dataclass(frozen=True)
class Batch:
    """One delivery of one feed (grain of ``ops.batch``)."""

    batch_id: int
    feed: str
    business_date: date
    delivered_for: date
    delivery_id: str
    sha256: str
    landed_path: str
    bytes: int
    declared_rows: int | None
    watermark: str | None
    state: str
    is_initial: bool


_COLUMNS = (
    "batch_id, feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes, declared_rows,"
    " watermark, state, is_initial"
)


@dataclass(frozen=True)
class Landed:
    """A file as it lies in landing, not yet in the ledger."""

    delivery_id: str
    delivered_for: date
    sha256: str
    landed_path: str
    bytes: int
    watermark: str | None
    receipt_sha256: str = ""


def register(
    connection: psycopg.Connection, contract: FeedContract, business_date: date, landed: Landed
) -> tuple[Batch, bool]:
    """Enter a landed file. Returns the batch and whether it is new.

    The same bytes under the same name are the batch they were; under another name they become a ``duplicate`` batch
    that holds no rows.
    """
    same = _find(connection, contract.feed, landed)
    if same is not None:
        connection.execute(
            "update ops.batch set watermark = %s where batch_id = %s", [landed.watermark, same.batch_id]
        )
        return same, False
    twin = None
    if contract.terms.delivery.protocol == "sftp":
        twin = connection.execute(
            "select batch_id from ops.batch where feed = %s and sha256 = %s and state not in ('duplicate', 'refused')"
            " order by batch_id limit 1",
            [contract.feed, landed.sha256],
        ).fetchone()
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        batch = cursor.execute(
            "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, receipt_sha256, landed_path,"
            " bytes, watermark, state, refusal_message, contract_version, is_initial) values (%s, %s, %s, %s, %s, %s,"
            " %s, %s, %s, %s, %s, %s, not exists (select from ops.batch where feed = %s and state = 'accepted'))"
            f" returning {_COLUMNS}",
            [
                contract.feed,
                business_date,
                landed.delivered_for,
                landed.delivery_id,
                landed.sha256,
                landed.receipt_sha256,
                landed.landed_path,
                landed.bytes,
                landed.watermark,
                "duplicate" if twin else "landed",
                f"与批次 {twin[0]} 内容完全相同，未重复入库" if twin else None,
                contract.version,
                contract.feed,
            ],
        ).fetchone()
    assert batch is not None
    if twin:
        connection.execute(
            "update ops.batch set delivered_rows = 0, accepted_rows = 0, quarantined_rows = 0, refused_rows = 0"
            " where batch_id = %s",
            [batch.batch_id],
        )
    return batch, True


def _find(connection: psycopg.Connection, feed: str, landed: Landed) -> Batch | None:
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.batch where feed = %s and delivery_id = %s and sha256 = %s"
            " and receipt_sha256 = %s",
            [feed, landed.delivery_id, landed.sha256, landed.receipt_sha256],
        ).fetchone()


def landed_batches(connection: psycopg.Connection, feed: str) -> list[Batch]:
    """Batches that wait for loading, oldest delivery first."""
    return _batches(connection, "feed = %s and state = 'landed' order by delivered_for, batch_id", feed)


def loaded_batches(connection: psycopg.Connection, source: str) -> list[Batch]:
    """Batches that wait for gate 1, of all feeds of a source."""
    return _batches(
        connection,
        "split_part(feed, '.', 1) = %s and state = 'loaded' order by delivered_for, batch_id",
        source,
    )


def _batches(connection: psycopg.Connection, condition: str, value: str) -> list[Batch]:
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from ops.batch where {condition}", [value]).fetchall()


def remote_marks(connection: psycopg.Connection, feed: str) -> dict[str, str | None]:
    """For a file feed: remote path → size and time when it was last taken."""
    rows = connection.execute(
        "select distinct on (delivery_id) delivery_id, watermark from ops.batch where feed = %s"
        " order by delivery_id, batch_id desc",
        [feed],
    )
    return dict(rows.fetchall())


def last_window(connection: psycopg.Connection, feed: str) -> Batch | None:
    """For a window feed: the batch that reaches furthest. A refused one does not count: its window is asked again."""
    found = _batches(
        connection,
        "feed = %s and state <> 'refused' order by delivered_for desc, batch_id desc limit 1",
        feed,
    )
    return found[0] if found else None


def refuse(
    connection: psycopg.Connection, batch_id: int, code: str, message: str, delivered_rows: int | None
) -> None:
    """Close a batch as refused: none of its rows is used, all are counted, the file stays in landing."""
    connection.execute(
        "update ops.batch set state = 'refused', refusal_code = %(code)s, refusal_message = %(message)s,"
        " delivered_rows = counted, accepted_rows = 0, quarantined_rows = 0, refused_rows = counted"
        " from (select coalesce(%(rows)s, delivered_rows, declared_rows, 0) as counted from ops.batch"
        " where batch_id = %(batch)s) as known where batch_id = %(batch)s",
        {"code": code, "message": message, "rows": delivered_rows, "batch": batch_id},
    )
