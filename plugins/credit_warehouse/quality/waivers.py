"""Waivers: a known failure, let through for a while, with a reason and an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import psycopg
from psycopg.rows import class_row

from credit_warehouse.quality.findings import Finding, State

Gate = Literal["intake", "publication"]


@dataclass(frozen=True)
class Waiver:
    """Grain of ``ops.waiver``. ``feed`` none = whatever the feed; ``expires_on`` is the last business date it holds."""

    waiver_id: int
    expectation_id: str
    feed: str | None
    reason: str
    owner: str
    expires_on: date

    @property
    def terms(self) -> str:
        return f"豁免 {self.waiver_id}：{self.reason}（负责人 {self.owner}，至 {self.expires_on}）"

    def covers(self, finding: Finding) -> bool:
        return self.expectation_id == finding.expectation_id and self.feed in (None, finding.feed)


def live(connection: psycopg.Connection, gate: Gate, business_date: date) -> list[Waiver]:
    """The waivers of a gate that hold on ``business_date``, the one that lasts longest first."""
    with connection.cursor(row_factory=class_row(Waiver)) as cursor:
        return cursor.execute(
            "select waiver_id, expectation_id, feed, reason, owner, expires_on from ops.waiver"
            " where gate = %s and %s between starts_on and expires_on order by expires_on desc, waiver_id",
            [gate, business_date],
        ).fetchall()


def apply(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    """``finding``, waived where a waiver covers its failure.

    What could not be judged cannot be waived, nor what the law leaves no room for.
    """
    if finding.state is not State.FAILED or not finding.is_waivable:
        return finding
    covering = next((waiver for waiver in waivers if waiver.covers(finding)), None)
    return finding if covering is None else finding.waived(covering.waiver_id, covering.terms)


def grant_waiver(
    connection: psycopg.Connection,
    gate: Gate,
    expectation_id: str,
    reason: str,
    owner: str,
    starts_on: date,
    expires_on: date,
    feed: str | None = None,
) -> int:
    """Enter a waiver and return its number. Reason and owner are required; it ends by itself.

    Raises:
        psycopg.errors.CheckViolation: no reason, no owner, or it ends before it begins.
    """
    row = connection.execute(
        "insert into ops.waiver (gate, expectation_id, feed, reason, owner, starts_on, expires_on)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning waiver_id",
        [gate, expectation_id, feed, reason, owner, starts_on, expires_on],
    ).fetchone()
    assert row is not None
    return int(row[0])
