"""Changes to records: what officers and departments decide about a record after it came (DOMAIN.md §4.5–4.6).

Every change is a row of ``ops.record_event``: dated, with who, why and document, never altered. Triggers of that table
check it and keep ``ops.suppression``, so that a removal holds in every outlet from the moment it is entered, whichever
way it came. The next publication takes it into core.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract
from credit_warehouse.database import connect
from credit_warehouse.errors import said_by_database


class ChangeKind(StrEnum):
    """Kinds of change, with their Chinese names."""

    REVOCATION = "revocation"
    REPAIR = "repair"
    OBJECTION_FILED = "objection_filed"
    OBJECTION_UPHELD = "objection_upheld"
    OBJECTION_DISMISSED = "objection_dismissed"
    CORRECTION = "correction"
    REINSTATEMENT = "reinstatement"
    SEVERITY_FINDING = "severity_finding"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    ChangeKind.REVOCATION: "撤销",
    ChangeKind.REPAIR: "信用修复",
    ChangeKind.OBJECTION_FILED: "异议受理",
    ChangeKind.OBJECTION_UPHELD: "异议成立",
    ChangeKind.OBJECTION_DISMISSED: "异议不成立",
    ChangeKind.CORRECTION: "更正确认",
    ChangeKind.REINSTATEMENT: "恢复",
    ChangeKind.SEVERITY_FINDING: "失信程度认定",
}


class ChangeRefused(ValueError):
    """The change cannot be entered; the message says why and what to do, in Chinese."""


def enter(
    record_key: UUID,
    kind: ChangeKind,
    effective_on: date,
    document_no: str,
    reason: str,
    by: str,
    objection_no: str | None = None,
    severity: str | None = None,
) -> int:
    """An officer's entry. It holds in every outlet when this returns. Returns its event number.

    Raises:
        ChangeRefused: no such record, or the change does not fit the record as it stands.
    """
    with connect() as connection:
        built = connection.execute("select to_regclass('core.credit_record') is not null").fetchone()
        known = (
            built == (True,)
            and connection.execute(
                "select 1 from core.credit_record where record_key = %s", [record_key]
            ).fetchone()
        )
        if not known:
            raise ChangeRefused(
                f"没有主键为 {record_key} 的信用记录，请用 credit-warehouse explain 按文书号查找"
            )
        try:
            row = connection.execute(
                "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, entered_by,"
                " objection_no, severity) values (%s, %s, %s, %s, %s, %s, %s, %s) returning event_id",
                [record_key, kind, effective_on, document_no, reason, by, objection_no, severity],
            ).fetchone()
        except psycopg.errors.RaiseException as error:
            raise ChangeRefused(said_by_database(error)) from error
        except psycopg.errors.CheckViolation as error:
            raise ChangeRefused(
                "请补全：文书号和理由不能为空；异议类变更须有异议编号，失信程度认定须有程度（轻微、一般、较重、严重）"
            ) from error
        assert row is not None
        return int(row[0])


def take_in(connection: psycopg.Connection, contract: FeedContract, batch_id: int) -> None:
    """What an accepted batch changes at once: its rows of changes, and the records its sender takes back."""
    if contract.terms.change:
        _enter_batch(connection, contract, batch_id)
    elif contract.terms.record and contract.terms.withdrawal:
        _suppress_withdrawn(connection, contract, batch_id)


def _enter_batch(connection: psycopg.Connection, contract: FeedContract, batch_id: int) -> None:
    change = contract.terms.change
    assert change is not None
    kinds = contract.field(change.kind).terms.meanings
    fields = {
        "kind": sql.SQL("case {} {} end").format(
            sql.Identifier(change.kind),
            sql.SQL(" ").join(
                sql.SQL("when {} then {}").format(sql.Literal(code), sql.Literal(kind))
                for code, kind in kinds.items()
            ),
        ),
        "effective_on": sql.Identifier(change.effective_on),
        "document_no": sql.Identifier(change.document_no),
        "reason": sql.Identifier(change.reason),
        "objection_no": sql.Identifier(change.objection_no) if change.objection_no else sql.SQL("null"),
        "severity": sql.Identifier(change.severity) if change.severity else sql.SQL("null"),
    }
    connection.execute(
        sql.SQL(
            "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, objection_no, severity,"
            " entered_by, feed, batch_id, source_row, change_key)"
            " select target_record_key, kind, effective_on, document_no, reason,"
            " case when kind like 'objection%%' then objection_no end,"
            " case when kind = 'severity_finding' then severity end, {by}, {feed}, batch_id, source_row, change_key"
            " from (select target_record_key, record_key as change_key, batch_id, source_row, {fields} from raw.{table}"
            " where batch_id = {batch}) as delivered where not exists ("
            # Senders repeat themselves: a change that says nothing new must not come after what undid it.
            " select from ops.record_event as entered where entered.change_key = delivered.change_key"
            " and (entered.record_key, entered.kind, entered.effective_on)"
            " = (delivered.target_record_key, delivered.kind, delivered.effective_on))"
            " order by effective_on, source_row on conflict (batch_id, source_row) do nothing"
        ).format(
            by=sql.Literal(contract.terms.department.name),
            feed=sql.Literal(contract.feed),
            fields=sql.SQL(", ").join(
                sql.SQL("{} as {}").format(expression, sql.Identifier(name))
                for name, expression in fields.items()
            ),
            table=sql.Identifier(contract.relation),
            batch=sql.Literal(batch_id),
        )
    )


def _suppress_withdrawn(connection: psycopg.Connection, contract: FeedContract, batch_id: int) -> None:
    """Versions up to the one that takes the record back are shown nowhere from now on; a later one would be."""
    connection.execute(
        sql.SQL(
            "insert into ops.suppression (record_key, origin, kind, through_updated_at, batch_id)"
            " select record_key, 'sender', 'withdrawal', max({updated}), batch_id from raw.{table}"
            " where batch_id = {batch} and is_withdrawal group by record_key, batch_id"
            " on conflict (record_key, origin) do update set through_updated_at = greatest("
            " suppression.through_updated_at, excluded.through_updated_at), batch_id = excluded.batch_id,"
            " entered_at = clock_timestamp()"
        ).format(
            updated=sql.Identifier(contract.terms.updated_field),
            table=sql.Identifier(contract.relation),
            batch=sql.Literal(batch_id),
        )
    )
