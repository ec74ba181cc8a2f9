"""What the gates leave in the database: one row per expectation judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from credit_warehouse.quality.findings import Finding
from credit_warehouse.quality.waivers import Gate

_INSERT = """
insert into ops.gate_result (
    gate_run_id, gate, business_date, source, feed, batch_id, publication_id, expectation_id, severity, state,
    observed, expected, failing_rows, message, next_steps, examples, waiver_id, docs_path
) values (
    %(gate_run_id)s, %(gate)s, %(business_date)s, %(source)s, %(feed)s, %(batch_id)s, %(publication_id)s,
    %(expectation_id)s, %(severity)s, %(state)s, %(observed)s, %(expected)s, %(failing_rows)s, %(message)s,
    %(next_steps)s, %(examples)s, %(waiver_id)s, %(docs_path)s
)
"""


def record(
    connection: psycopg.Connection,
    gate: Gate,
    gate_run_id: UUID,
    business_date: date,
    findings: Iterable[Finding],
    docs_path: str,
    *,
    batch_id: int | None = None,
    publication_id: int | None = None,
) -> None:
    """Append the findings of one gate run on one batch or one publication."""
    rows = [
        {
            "gate_run_id": gate_run_id,
            "gate": gate,
            "business_date": business_date,
            "source": finding.feed.split(".", 1)[0] if finding.feed else None,
            "feed": finding.feed,
            "batch_id": batch_id,
            "publication_id": publication_id,
            "expectation_id": finding.expectation_id,
            "severity": finding.severity.value,
            "state": finding.state.value,
            "observed": finding.observed,
            "expected": finding.expected,
            "failing_rows": finding.failing_rows,
            "message": finding.message,
            "next_steps": finding.next_steps,
            "examples": Jsonb(list(finding.examples)) if finding.examples else None,
            "waiver_id": finding.waiver_id,
            "docs_path": docs_path,
        }
        for finding in findings
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
