"""What the bulletin of a month says, read from the marts of one publication."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

Rows = list[dict[str, Any]]

RANKED = (
    "delivered_rows", "compliance_rate", "timeliness_rate", "missing_period_rate", "required_fill_rate", "accuracy_rate",
    "match_rate",
)  # fmt: skip
"""Metrics shown per department, beside its place."""

OVERALL = (
    "delivered_rows", "compliance_rate", "landing_rate", "timeliness_rate", "missing_period_rate", "reporting_rate",
    "item_coverage_rate", "department_coverage_rate", "match_rate", "concealment_rate",
)  # fmt: skip
"""Metrics shown for the whole city."""


class NoFigures(ValueError):
    """There is nothing to tell of the month; the message says why."""


@dataclass(frozen=True)
class Bulletin:
    """Figures of one month. ``as_of`` is the month's last day, or the publication's night while the month lasts."""

    month: date
    as_of: date
    publication_id: int
    night: date
    city: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    overall: dict[str, dict[str, Any]]
    ranking: Rows
    trend: Rows
    late_units: Rows
    missing: Rows
    corrections: Rows
    broken_rules: Rows
    coverage: Rows
    tasks: Rows
    targets: Rows
    overdue: Rows

    @property
    def is_provisional(self) -> bool:
        """The month was not over on the night of the publication."""
        return self.as_of < month_end(self.month)


def month_end(month: date) -> date:
    """Last day of the month that begins on ``month``."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def month_before(month: date) -> date:
    """First day of the month before the one that begins on ``month``."""
    return (month - timedelta(days=1)).replace(day=1)


def reading_publication(cursor: psycopg.Cursor[dict[str, Any]]) -> dict[str, Any]:
    """Number, night and time of the publication the session reads.

    Raises:
        NoFigures: nothing is published.
    """
    reading = cursor.execute(
        "select publication_id, business_date, closed_at, ops.legal_day() - business_date as age_days"
        " from ops.publication where publication_id = ops.reading_publication()"
    ).fetchone()
    if reading is None:
        raise NoFigures("还没有任何发布，无法生成通报")
    return reading


def gather(connection: psycopg.Connection, month: date) -> Bulletin:
    """The figures of the month that begins on ``month``, as the session's publication has them.

    Raises:
        NoFigures: nothing is published, or nothing was delivered up to that month.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        reading = reading_publication(cursor)
        night = reading["business_date"]
        as_of = min(month_end(month), night)
        parameters = {
            "month": month,
            "as_of": as_of,
            "before": month_before(month),
            "first": month.replace(year=month.year - 1),
            "ranked": list(RANKED),
            "overall": list(OVERALL),
        }

        def read(query: str) -> Rows:
            return cursor.execute(query, parameters).fetchall()

        overall = {row["metric_code"]: row for row in read(_OVERALL)}
        if not overall or month > night:
            raise NoFigures(f"{month:%Y 年 %m 月}没有报送数据，无法生成通报")
        return Bulletin(
            month=month,
            as_of=as_of,
            publication_id=reading["publication_id"],
            night=night,
            city=read(CITY)[0],
            metrics={row["metric_code"]: row for row in read(METRICS)},
            overall=overall,
            ranking=_ranking(read(_RANKING), read(_DEPARTMENT_METRICS)),
            trend=read(_TREND),
            late_units=read(_LATE_UNITS),
            missing=read(_MISSING),
            corrections=read(_CORRECTIONS),
            broken_rules=read(_BROKEN_RULES),
            coverage=read(COVERAGE),
            tasks=read(TASKS),
            targets=read(_TARGETS),
            overdue=read(OVERDUE),
        )


def _ranking(ranking: Rows, metrics: Rows) -> Rows:
    for row in ranking:
        row["metrics"] = {
            metric["metric_code"]: metric
            for metric in metrics
            if metric["department_code"] == row["department_code"]
        }
    return ranking


CITY = """
select city.city_name, city.office_name
from ops.office as office inner join ops.city as city on office.city = city.city
"""
METRICS = "select * from ops.metric"
_OVERALL = """
select metric_code, numerator, denominator, rate, is_small, is_known from mart.domain_metric_monthly
where domain = '全市' and month = %(month)s and metric_code = any(%(overall)s)
"""
_RANKING = """
select now.department_code, now.department_name, now.place, now.score, now.assessed_points, now.full_points,
    before.place as place_before, before.score as score_before
from mart.department_ranking_monthly as now
left join mart.department_ranking_monthly as before
    on now.department_code = before.department_code and before.month = %(before)s
where now.month = %(month)s
order by now.place nulls last, now.department_code
"""
_DEPARTMENT_METRICS = """
select department_code, metric_code, numerator, denominator, rate, is_small, is_known from mart.department_metric_monthly
where feed is null and month = %(month)s and metric_code = any(%(ranked)s)
"""
_TREND = """
select month, metric_code, numerator, rate from mart.domain_metric_monthly
where domain = '全市' and month > %(first)s and month <= %(month)s
    and metric_code in ('delivered_rows', 'compliance_rate', 'timeliness_rate')
order by month
"""
_LATE_UNITS = """
select metric.department_name, metric.feed_label, metric.numerator, metric.denominator, metric.rate, metric.is_small
from mart.department_metric_monthly as metric
inner join ops.metric_parameter as parameter
    on parameter.name = 'named_late_share' and parameter.valid_from <= %(month)s
        and (parameter.valid_to is null or parameter.valid_to >= %(month)s)
where metric.metric_code = 'late_rate' and metric.feed is not null and metric.month = %(month)s
    and metric.rate > parameter.value
order by metric.rate desc, metric.numerator desc, metric.feed
"""
_MISSING = """
select feed.department_name, feed.feed_label, period.state, count(*) as periods,
    min(period.period_start) as first_start, max(period.period_end) as last_end
from mart.reporting_period as period inner join mart.feed as feed on period.feed = feed.feed
where period.state in ('missing', 'late') and period.period_end between %(month)s and %(as_of)s
group by feed.department_name, feed.feed_label, period.state
order by period.state desc, count(*) desc, feed.department_name, feed.feed_label
"""
_CORRECTIONS = """
select department_name, sum(returned_rows) as returned, sum(asked_rows) as asked, sum(corrected_rows) as corrected,
    sum(corrected_in_time_rows) as in_time, sum(rerejected_rows) as rerejected, sum(ignored_rows) as ignored,
    sum(open_rows) as open
from mart.feedback_daily where business_date between %(month)s and %(as_of)s
group by department_name order by sum(open_rows) desc, department_name
"""
_BROKEN_RULES = """
select broken.code, count(*) as errors, count(distinct item.department_code) as departments
from mart.feedback_item as item cross join lateral unnest(item.error_codes) as broken (code)
where item.opened_on between %(month)s and %(as_of)s
group by broken.code order by count(*) desc, broken.code limit 10
"""
COVERAGE = """
select population, group_name, members, filed_members, coverage_rate from mart.population_coverage
where district = '全市' and held_from <= %(as_of)s and (held_until is null or held_until >= %(as_of)s) and members > 0
order by population = 'professional_group', population, coverage_rate, group_name
"""
_STANDING = "held_from <= %(as_of)s and (held_until is null or held_until >= %(as_of)s)"
TASKS = f"""
select plan_title, status, status_label, count(*) as items from mart.plan_task_status
where {_STANDING} group by plan_title, status, status_label order by plan_title, status
"""
_TARGETS = f"""
select plan_title, metric, target_value, milestone, value, numerator, denominator, denominator_name, due_on, status,
    status_label
from mart.plan_target_status where {_STANDING} and status <> 'not_measurable' order by plan_title, ordinal
"""
OVERDUE = f"""
select plan_title, article, task, lead_units, due_on, status_label from mart.plan_task_status
where {_STANDING} and status in ('overdue', 'never_evidenced', 'at_risk') order by due_on nulls last, ordinal limit 12
"""
