"""The profile of a batch: one wide row, so that gate 1 costs the same for ten rows and for ten million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from credit_warehouse.contracts import FeedContract

LABELS = {
    "delivered_rows": "交付行数",
    "declared_rows": "部门声明行数",
    "accepted_rows": "入库行数",
    "accounted_rows": "入库、隔离、拒收行数之和",
    "quarantined_rows": "隔离行数",
    "raw_rows": "原始表行数",
    "quarantine_table_rows": "隔离表行数",
    "reject_rate": "退回率",
    "duplicate_share": "重复行占比",
    "missing_required_columns": "缺少的必填列",
    "missing_optional_columns": "缺少的选填列",
    "extra_columns": "合同以外的列",
    "days_since_previous": "距上一批数据",
}
"""What a clerk calls each metric; fill rates are ``fill_rate__<field>``."""

FILL_RATE = "fill_rate__"


def label(metric: str, contract: FeedContract) -> str:
    """The Chinese name of a metric of this feed."""
    if metric.startswith(FILL_RATE):
        return f"“{contract.field(metric.removeprefix(FILL_RATE)).label}”填充率"
    return LABELS[metric]


@dataclass(frozen=True)
class BatchProfile:
    """Grain: one batch. ``metrics`` are rows, columns, days or shares 0 to 1; none = not applicable to this batch."""

    batch_id: int
    feed: str
    business_date: date
    is_initial: bool
    metrics: Mapping[str, float | None]


def load(
    connection: psycopg.Connection, contract: FeedContract, batch_ids: Sequence[int]
) -> list[BatchProfile]:
    """The profiles of these batches of one feed, from the ledger, the counted rows and what intake measured."""
    with connection.cursor(row_factory=dict_row) as cursor:
        ledger = cursor.execute(_ledger_query(contract), {"batches": list(batch_ids)}).fetchall()
        measured = cursor.execute(
            "select batch_id, metric, field, value from ops.batch_profile where batch_id = any(%s)",
            [list(batch_ids)],
        ).fetchall()
    return [
        BatchProfile(
            row["batch_id"],
            contract.feed,
            row["business_date"],
            row["is_initial"],
            _metrics(row, [m for m in measured if m["batch_id"] == row["batch_id"]], contract),
        )
        for row in ledger
    ]


def _ledger_query(contract: FeedContract) -> sql.Composed:
    # Counting by batch_id, the first column of both primary keys, touches this batch only.
    return sql.SQL(
        """
        select
            batch.batch_id, batch.business_date, batch.is_initial,
            batch.delivered_rows, batch.declared_rows, batch.accepted_rows, batch.quarantined_rows,
            batch.accepted_rows + batch.quarantined_rows + batch.refused_rows as accounted_rows,
            (batch.quarantined_rows + batch.refused_rows)::float8 / nullif(batch.delivered_rows, 0) as reject_rate,
            (select count(*) from {raw} as r where r.batch_id = batch.batch_id) as raw_rows,
            (
                select count(*) from quarantine.rejected_row as q where q.batch_id = batch.batch_id
            ) as quarantine_table_rows,
            batch.delivered_for - (
                select max(earlier.delivered_for) from ops.batch as earlier
                where earlier.feed = batch.feed and earlier.state = 'accepted' and earlier.batch_id <> batch.batch_id
            ) as days_since_previous
        from ops.batch as batch
        where batch.batch_id = any(%(batches)s)
        order by batch.delivered_for, batch.batch_id
        """
    ).format(raw=sql.Identifier("raw", contract.relation))


def _metrics(
    row: Mapping[str, Any], measured: Sequence[Mapping[str, Any]], contract: FeedContract
) -> dict[str, float | None]:
    found = {m["metric"]: m["value"] for m in measured if not m["field"]}
    found |= {f"{m['metric']}__{m['field']}": m["value"] for m in measured if m["field"]}
    # The ledger's own figures win over the copies intake measured.
    found |= {metric: row[metric] for metric in LABELS if metric in row}
    if "duplicate_rows" in found:
        found["duplicate_share"] = (
            found["duplicate_rows"] / row["delivered_rows"] if row["delivered_rows"] else None
        )
    if not row["delivered_rows"]:
        # Nothing delivered, nothing filled: not applicable, which is not the same as not measured.
        found |= {f"{FILL_RATE}{f.name}": None for f in contract.fields if f.terms.min_fill_rate is not None}
    return {metric: None if value is None else float(value) for metric, value in found.items()}
