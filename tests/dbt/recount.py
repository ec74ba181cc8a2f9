"""The aggregates readers see, counted anew from the records themselves."""

from __future__ import annotations

import psycopg

COUNTS = {
    "credit_record_count_monthly": (
        "select month, record_category, effect, sum(records) from mart.credit_record_count_monthly group by 1, 2, 3",
        "select date_trunc('month', decision_date)::date, record_category, effect, count(*)"
        " from mart.queryable_credit_record where decision_date is not null group by 1, 2, 3",
    ),
    "credit_subject_count": (
        "select record_category, effect, subject_type, subjects from mart.credit_subject_count",
        "select record_category, effect, subject_type, count(distinct subject_key)"
        " from mart.queryable_credit_record where subject_key is not null group by 1, 2, 3",
    ),
    "serious_list_flow_monthly": (
        "select month, list_name, direction, entries from mart.serious_list_flow_monthly",
        "select date_trunc('month', flow.day)::date, list_name, flow.direction, count(*) from mart.serious_list_entry"
        " cross join lateral (values ('entered', entered_on), ('left', exited_on)) as flow (direction, day)"
        " where flow.day is not null group by 1, 2, 3",
    ),
    "correction_flow_monthly": (
        "select month, cases from mart.correction_flow_monthly where kind = 'expiry'",
        "select date_trunc('month', displayed_until)::date, count(*) from mart.queryable_credit_record"
        " where displayed_until < date '9999-01-01' group by 1",
    ),
}
"""Aggregate → what it says, and the same from the records."""


def show_small_counts(connection: psycopg.Connection) -> None:
    """Hide no count, so that all can be compared."""
    connection.execute("update ops.metric_parameter set value = 1 where name = 'suppressed_count'")


def miscounted(connection: psycopg.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Aggregate → rows that the session's publication says otherwise than its records do; empty when all agree."""
    found = {
        name: set(connection.execute(said).fetchall()) ^ set(connection.execute(counted).fetchall())
        for name, (said, counted) in COUNTS.items()
    }
    return {name: rows for name, rows in found.items() if rows}
