"""What can go wrong with a department, told apart by who acts on it."""

from __future__ import annotations

import psycopg


class SourceUnavailable(Exception):
    """The source cannot be reached, or has not delivered yet. Worth trying again later."""


class DeliveryRefused(Exception):
    """The delivery arrived and cannot be used. Trying again does not help: the department redelivers.

    ``code`` is stable, ``message`` is Chinese for the department's clerk and says what to do, ``delivered_rows`` is
    how many rows the delivery holds as far as can be told.
    """

    def __init__(self, code: str, message: str, delivered_rows: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.delivered_rows = delivered_rows


def said_by_database(refusal: psycopg.errors.RaiseException) -> str:
    """What a rule kept in the database says to a person: why not, and what to do."""
    hint = refusal.diag.message_hint
    return f"{refusal.diag.message_primary}。{hint}" if hint else str(refusal.diag.message_primary)
