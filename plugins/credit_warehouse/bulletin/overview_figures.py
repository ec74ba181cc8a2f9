"""What the leaders' page says, read from the marts of one publication: totals and shares, never a subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from credit_warehouse.bulletin.figures import (
    CITY,
    COVERAGE,
    METRICS,
    OVERDUE,
    TASKS,
    NoFigures,
    Rows,
    month_before,
    reading_publication,
)  # fmt: skip

SHOWN = (
    "department_coverage_rate", "item_coverage_rate", "delivered_rows", "compliance_rate", "timeliness_rate",
    "missing_period_rate",
)  # fmt: skip
"""Metrics of the whole city, as cards."""

WEEKS = 12
MONTHS = 12


@dataclass(frozen=True)
class Overview:
    """The city as one publication knows it on its night. ``publication`` has its number, night, time and age in days."""

    publication: dict[str, Any]
    gate: dict[str, int | None]
    city: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    overall: dict[str, dict[str, Any]]
    small_count: int
    coverage: Rows
    ranking: Rows
    scores: Rows
    weeks: Rows
    stale: Rows
    subjects: Rows
    records: Rows
    listed: int
    tasks: Rows
    overdue: Rows

    @property
    def night(self) -> date:
        """Business date of the publication."""
        night: date = self.publication["business_date"]
        return night


def gather(connection: psycopg.Connection) -> Overview:
    """The figures of the publication the session reads.

    Raises:
        credit_warehouse.bulletin.figures.NoFigures: nothing is published, or nobody delivered in its month.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        publication = reading_publication(cursor)
        night = publication["business_date"]
        month = night.replace(day=1)
        parameters = {
            "as_of": night,
            "month": month,
            "before": month_before(month),
            "first_month": month.replace(year=month.year - 1),
            "first_week": night - timedelta(days=night.weekday() + 7 * (WEEKS - 1)),
            "shown": list(SHOWN),
        }

        def read(query: str) -> Rows:
            return cursor.execute(query, parameters).fetchall()

        overall = {row["metric_code"]: row for row in read(_OVERALL)}
        if not overall:
            raise NoFigures(f"{month:%Y 年 %m 月}没有报送数据，无法生成总览")
        return Overview(
            publication=publication,
            gate=read(_GATE)[0],
            city=read(CITY)[0],
            metrics={row["metric_code"]: row for row in read(METRICS)},
            overall=overall,
            small_count=int(read(_SMALL_COUNT)[0]["value"]),
            coverage=read(COVERAGE),
            ranking=read(_RANKING),
            scores=read(_SCORES),
            weeks=read(_WEEKS),
            stale=read(_STALE),
            subjects=read(_SUBJECTS),
            records=read(_RECORDS),
            listed=read(_LISTED)[0]["listed"],
            tasks=read(TASKS),
            overdue=read(OVERDUE),
        )


_GATE = """
select gate_passed as "通过", gate_waived as "豁免", gate_checks - gate_passed - gate_waived as "提示"
from mart.publication where is_read
"""
_OVERALL = """
select metric_code, numerator, denominator, rate, is_small, is_known from mart.domain_metric_monthly
where domain = '全市' and month = %(month)s and metric_code = any(%(shown)s)
"""
_SMALL_COUNT = """
select value from ops.metric_parameter
where name = 'small_count' and valid_from <= %(as_of)s and (valid_to is null or valid_to >= %(as_of)s)
"""
_RANKING = """
select now.department_code, now.department_name, now.place, now.score, now.assessed_points, now.full_points,
    before.place as place_before
from mart.department_ranking_monthly as now
left join mart.department_ranking_monthly as before
    on now.department_code = before.department_code and before.month = %(before)s
where now.month = %(month)s
order by now.place nulls last, now.department_code
"""
_SCORES = """
select department_code, month, score from mart.department_ranking_monthly
where month > %(first_month)s and month <= %(month)s order by department_code, month
"""
_WEEKS = """
select department_code, department_name, date_trunc('week', business_date)::date as week,
    sum(on_time_records) as on_time, sum(timed_records) as timed
from mart.department_coverage_daily where business_date between %(first_week)s and %(as_of)s
group by department_code, department_name, week order by department_code, week
"""
_STALE = """
select department_name, feed_label, newest_delivered_for, freshness_days, max_age_days from (
    select distinct on (feed) * from mart.department_coverage_daily where business_date <= %(as_of)s
    order by feed, business_date desc
) as newest
where freshness_days > max_age_days or newest_delivered_for is null
order by freshness_days desc nulls first, department_name, feed_label
"""
_SUBJECTS = """
select subject_type, count(*) as subjects from mart.subject_credit_profile
where records_in_force > 0 group by subject_type order by subject_type
"""
_RECORDS = """
select record_category, effect, count(*) as records from mart.credit_record
group by record_category, effect order by record_category, effect
"""
_LISTED = (
    "select count(*) as listed from mart.serious_list_entry where is_listed and serious_class is not null"
)
