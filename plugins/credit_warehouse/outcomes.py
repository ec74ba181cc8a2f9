"""One outcome row per step, written when the step begins and closed however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from credit_warehouse.database import connect
from credit_warehouse.errors import DeliveryRefused, SourceUnavailable
from credit_warehouse.troubles import advise, trouble_of


@dataclass
class Outcome:
    """What the step will leave in ``ops.outcome``; the step sets it as it learns."""

    state: str = "succeeded"
    code: str | None = None
    message: str | None = None
    batch_id: int | None = None
    publication_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@contextmanager
def step(
    name: str,
    business_date: date,
    *,
    source: str | None = None,
    feed: str | None = None,
    publication_id: int | None = None,
    run_id: str | None = None,
) -> Iterator[Outcome]:
    """Record one step. A killed process leaves ``running`` behind, which is what it was.

    Rows are written in transactions of their own, so that a step's rollback does not take its outcome with it.
    """
    outcome = Outcome(publication_id=publication_id)
    try:
        with connect() as connection:
            row = connection.execute(
                "insert into ops.outcome (business_date, source, feed, publication_id, step, state, run_id)"
                " values (%s, %s, %s, %s, %s, 'running', %s) returning outcome_id",
                [business_date, source, feed, publication_id, name, run_id],
            ).fetchone()
    except psycopg.OperationalError as error:
        advise(error)
        raise
    assert row is not None
    try:
        yield outcome
    except BaseException as error:
        trouble = trouble_of(error)
        outcome.state = "failed"
        outcome.code = outcome.code or (trouble.code if trouble else _code(error))
        outcome.message = outcome.message or (f"{trouble.advice}（{error}）" if trouble else str(error))
        advise(error)
        # With the database gone there is nowhere to write it; what broke the step is what must be told.
        with suppress(psycopg.OperationalError):
            _close(row[0], outcome)
        raise
    _close(row[0], outcome)


def _code(error: BaseException) -> str:
    if isinstance(error, DeliveryRefused):
        return error.code
    return "source_unavailable" if isinstance(error, SourceUnavailable) else type(error).__name__


def _close(outcome_id: int, outcome: Outcome) -> None:
    with connect() as connection:
        connection.execute(
            "update ops.outcome set state = %s, code = %s, message = %s, batch_id = %s, publication_id = %s,"
            " detail = %s, finished_at = clock_timestamp() where outcome_id = %s",
            [
                outcome.state,
                outcome.code,
                outcome.message,
                outcome.batch_id,
                outcome.publication_id,
                Jsonb(outcome.detail),
                outcome_id,
            ],
        )
