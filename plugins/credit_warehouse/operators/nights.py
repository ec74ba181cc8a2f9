"""A night in Airflow's words: partition key = business date, one answer per source, one publication.

Publication waits for an *answer* of every source, not for its data. The source whose answer completes the night signals
``NIGHT_ANSWERED``, and publication is scheduled on that. The ledger decides whether a night is complete, not Airflow's
count of one asset per source: Airflow forgets the events it has used (a second run of a source would wait for the
others for ever) and can miscount two that arrive together. So late data, a night run twice and nights out of order all
lead to one more publication run and never to a wait for an answer given long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    PartitionedAtRuntime,
    RetryAction,
    RetryRule,
    get_current_context,
)

from credit_warehouse.settings import get_settings

if TYPE_CHECKING:
    from airflow.sdk.bases.timetable import BaseTimetable

KEY_FORMAT = "%Y-%m-%d"

NIGHT_ANSWERED = Asset(name="night_answered", uri="credit://night/answered", group="credit_night")

NIGHT_PUBLISHED = Asset(name="night_published", uri="credit://night/published", group="credit_night")

LOST_DATABASE = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[
                "psycopg.OperationalError",
                "psycopg.InterfaceError",
                "sqlalchemy.exc.OperationalError",
                "sqlalchemy.exc.InterfaceError",
                "credit_warehouse.transform.run.BuildInterrupted",
            ],
            action=RetryAction.RETRY,
            retry_delay=timedelta(seconds=15),
            reason="the warehouse went away; every verb may be repeated",
        )
    ],
    default=RetryAction.FAIL,
)
"""A check is never retried, its verdict would be the same; a database restart or a killed process is."""

STEP: dict[str, Any] = {
    "owner": "信用办数据组",
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    "retry_policy": LOST_DATABASE,
    "execution_timeout": timedelta(hours=2),
}
"""Default arguments of every task."""

DAG_TERMS: dict[str, Any] = {
    "catchup": False,
    # Nights of a source share watermarks, and there is one candidate at a time.
    "max_active_runs": 1,
    "is_paused_upon_creation": False,
    "default_args": STEP,
}
"""What every DAG has in common."""


@dataclass(frozen=True)
class Night:
    """What every pipeline verb wants to know of the run it is called from."""

    business_date: date
    run_id: str


def this_night() -> Night:
    """The night of the running task, from its partition key.

    Raises:
        AirflowFailException: triggered without a business date, or with something else.
    """
    from airflow.sdk.exceptions import AirflowFailException

    context = get_current_context()
    key = context["partition_key"]
    try:
        return Night(business_date=date.fromisoformat(key or ""), run_id=context["run_id"])
    except ValueError:
        raise AirflowFailException(
            f"分区键（partition key）应是业务日期，如 2026-03-02，现在是 {key!r}：请带上业务日期重新触发。"
        ) from None


def nightly(cron: str) -> BaseTimetable:
    """Runs at ``cron`` for the business date of the day before; ``off`` runs only when triggered with a date."""
    if cron == "off":
        return PartitionedAtRuntime()
    timezone = get_settings().timezone
    return CronPartitionTimetable(cron, timezone=timezone, run_offset=-1, key_format=KEY_FORMAT)
