"""What a person decided about a candidate: written once, taken back only by another entry.

The rules stand in the database (``ops.guard_match_decision``), so that they hold for every way in.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import psycopg

from credit_warehouse.database import connect
from credit_warehouse.errors import said_by_database


class DecisionRefused(Exception):
    """The decision cannot be entered; the message (Chinese) says why and what to do."""


def decide(
    record_key: UUID,
    subject_key: UUID,
    decision: Literal["link", "reject"],
    by: str,
    reason: str,
    document: str,
) -> int:
    """Enter a decision on a candidate; returns its number.

    Args:
        by, reason, document: who decides, why, and the document it rests on; none may be blank.

    Raises:
        DecisionRefused: no such candidate, already decided, or the record is linked to another subject.
    """
    return _enter(
        "insert into ops.match_decision (decision, record_key, subject_key, decided_by, reason, document)"
        " values (%s, %s, %s, %s, %s, %s) returning decision_id",
        [decision, record_key, subject_key, by, reason, document],
    )


def undo(decision_id: int, by: str, reason: str) -> int:
    """Take a decision back; returns the number of the undo.

    Raises:
        DecisionRefused: no such decision, or taken back before.
    """
    # Record and subject are those of the decision taken back: the database fills them in.
    return _enter(
        "insert into ops.match_decision (decision, undoes, decided_by, reason) values ('undo', %s, %s, %s)"
        " returning decision_id",
        [decision_id, by, reason],
    )


def _enter(statement: str, values: list[object]) -> int:
    try:
        with connect() as connection:
            row = connection.execute(statement, values).fetchone()
    except psycopg.errors.RaiseException as refusal:
        raise DecisionRefused(said_by_database(refusal)) from None
    except psycopg.errors.CheckViolation:
        raise DecisionRefused("经办人、理由和依据文书均不能为空") from None
    assert row is not None
    return int(row[0])
