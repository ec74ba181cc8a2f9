"""Dated evidence about tasks and targets: what the warehouse cannot see for itself. The next publication takes it in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import psycopg

from credit_warehouse.database import connect
from credit_warehouse.errors import said_by_database


class EvidenceKind(StrEnum):
    """Kinds of evidence, with their Chinese names."""

    PROGRESS = "progress"
    COMPLETED = "completed"
    MEASURED = "measured"

    @property
    def label(self) -> str:
        return {"progress": "进展", "completed": "完成", "measured": "计量"}[self]


class EvidenceRefused(ValueError):
    """The evidence cannot be entered; the message says why and what to do, in Chinese."""


def add(
    item: str,
    kind: EvidenceKind,
    dated_on: date,
    note: str,
    document: str,
    by: str,
    value: Decimal | None = None,
) -> int:
    """Enter evidence about one task or target (``item``: its code). ``value``: percent, for ``measured``.

    Returns the entry's number.

    Raises:
        EvidenceRefused: no such task or target, a date still to come, or a value where none belongs.
    """
    column = "target_code" if "-M" in item else "task_code"
    return _insert(
        f"insert into ops.plan_evidence ({column}, kind, dated_on, value, note, document, entered_by)"
        " values (%(item)s, %(kind)s, %(dated_on)s, %(value)s, %(note)s, %(document)s, %(by)s)",
        item=item, kind=kind, dated_on=dated_on, value=value, note=note, document=document, by=by,
    )  # fmt: skip


def withdraw(evidence_id: int, dated_on: date, note: str, document: str, by: str) -> int:
    """Take back an entry: it counts no more, from any day. Returns the number of the withdrawal.

    Raises:
        EvidenceRefused: no such entry, or it has been taken back already.
    """
    return _insert(
        "insert into ops.plan_evidence (kind, withdraws, dated_on, note, document, entered_by)"
        " values ('withdrawn', %(evidence_id)s, %(dated_on)s, %(note)s, %(document)s, %(by)s)",
        evidence_id=evidence_id, dated_on=dated_on, note=note, document=document, by=by,
    )  # fmt: skip


def _insert(statement: str, **values: object) -> int:
    try:
        with connect() as connection:
            row = connection.execute(f"{statement} returning evidence_id", values).fetchone()
    except psycopg.errors.RaiseException as error:
        raise EvidenceRefused(said_by_database(error)) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise EvidenceRefused(
            f"没有编码为 {values.get('item')} 的任务或指标，请用 credit-warehouse plan status 查看编码"
        ) from error
    except (psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange) as error:
        raise EvidenceRefused(
            "请补全：说明、文件、录入人不能为空；measured（计量）须有 0 至 100 的百分数，其他类别不得有"
        ) from error
    assert row is not None
    return int(row[0])
