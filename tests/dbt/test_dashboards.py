"""Every dataset and chart of the dashboards, asked of a built city by the logins people look with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from credit_warehouse import publication, readers
from credit_warehouse.dashboards import source
from credit_warehouse.dashboards.pinning import NIGHT
from credit_warehouse.database import connect, database_url
from credit_warehouse.quality import results
from credit_warehouse.quality.findings import Finding, Severity, State
from credit_warehouse.readers import Role
from credit_warehouse.settings import PROJECT_DIR, get_settings
from tests import databases
from tests.dashboard_queries import chart_query, first_value

from .city import Row, deliver
from .dbt_process import dbt
from .metric_year import CITIES, DEBTOR, FIRST, LAST, PENALTY, VIOLATION, Year

WRITTEN = source.load()
EARLIER = LAST - timedelta(days=1)
PEOPLE = "data_administration.population_register"
TRADES = "data_administration.professional_register"
DEPARTMENT = "tax"
LOGINS = {
    "leader": ("dash_leader", Role.LEADER, None),
    "analyst": ("dash_analyst", Role.ANALYST, None),
    "department": ("dash_tax", Role.DEPARTMENT, DEPARTMENT),
}
CHARTS = [
    pytest.param(role, slug, name, id=f"{role}-{slug}.{name}")
    for slug, page in WRITTEN.dashboards.items()
    for role in page.readers
    for name in page.charts
]


@pytest.fixture(scope="module")
def city(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Two publications of a year with a busy last month; the password of each login."""
    name = databases.create(postgres_server, warehouse_template)
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("dashboards"))
        Year(CITIES[0], seed=1).play(FIRST, EARLIER)
        busy_month()
        project = PROJECT_DIR / "dbt_project"
        for night in (EARLIER, LAST):
            candidate = publication.open_candidate(night, full_refresh=True)
            assert candidate is not None
            if night == EARLIER:
                dbt(patch, project, candidate.publication_id, night, "seed")
            dbt(patch, project, candidate.publication_id, night, "run")
            with connect() as connection:
                judge(connection, candidate.publication_id, night)
            publication.publish(candidate.publication_id, "test")
            deliver(PENALTY, LAST, [Row("late", "late", {"decision_date": LAST})])
        yield {role: readers.add(*LOGINS[role]) for role in LOGINS}
        for login, _, _ in LOGINS.values():
            readers.remove(login)
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


def busy_month() -> None:
    """Enough of everything that no chart of a month is empty and that not every count is too small to be shown."""
    for feed, dates in {
        PENALTY: ("decision_date",),
        VIOLATION: ("published_on",),
        DEBTOR: ("published_on", "filing_date"),
    }.items():
        for night in (LAST - timedelta(days=6), LAST - timedelta(days=3)):
            decided = {name: night - timedelta(days=2) for name in dates}
            rows = [
                Row(f"busy {night} {number}", f"B{number}", decided, name=f"企业{number}")
                for number in range(12)
            ]
            deliver(feed, night, rows, quarantined=1)
    resident = {"district": "441302", "registered_on": date(2020, 1, 1)}
    deliver(PEOPLE, EARLIER, [Row("R1", "L1", resident, subject_type="person")], is_initial=True)
    lawyer = {"group_code": "04", "district": "441302", "valid_from": date(2020, 1, 1)}
    deliver(TRADES, EARLIER, [Row("T1", "L1", lawyer, subject_type="person")], is_initial=True)


def judge(connection: psycopg.Connection, candidate: int, night: date) -> None:
    """What gate 2 leaves when it lets a candidate through, and how long the night took."""
    finding = Finding("rows", Severity.BLOCK, State.PASSED, "通过", "无", "有数据")
    results.record(connection, "publication", uuid4(), night, [finding], "-", publication_id=candidate)
    connection.execute(
        "insert into ops.outcome (business_date, publication_id, step, state, started_at, finished_at)"
        " values (%s, %s, 'gate_publication', 'succeeded', now() - interval '20 seconds', now())",
        [night, candidate],
    )


def ask(city: dict[str, str], role: str, query: str, **pinned: object) -> list[tuple[Any, ...]]:
    """The query's rows, as Superset reads them for somebody of that role; ``pinned`` are the session's settings."""
    login = LOGINS[role][0]
    with psycopg.connect(database_url(), user=login, password=city[role]) as connection:
        for name, value in pinned.items():
            connection.execute("select set_config(%s, %s, false)", [f"credit.{name}", str(value)])
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", WRITTEN.datasets)
def test_a_dataset_has_every_column_and_metric_that_is_written(city: dict[str, str], name: str) -> None:
    dataset = WRITTEN.datasets[name]
    columns = ", ".join(dataset.all_columns())
    assert ask(city, "leader", f"select {columns} from ({dataset.query}) as rows") or name == "waiver"
    for metric in dataset.metrics.values():
        assert len(ask(city, "leader", f"select {metric.sql} from ({dataset.query}) as rows")) == 1


@pytest.mark.parametrize(("role", "slug", "name"), CHARTS)
def test_a_chart_has_something_to_show(city: dict[str, str], role: str, slug: str, name: str) -> None:
    page = WRITTEN.dashboards[slug]
    rows = ask(city, role, chart_query(WRITTEN, page, name))
    assert rows or page.charts[name].may_be_empty


def test_a_page_begins_with_the_publication_in_force_and_reads_that_one_only(city: dict[str, str]) -> None:
    choice = first_value(WRITTEN, "publication")
    ((newest,),) = ask(city, "leader", choice)
    ((earlier,),) = ask(
        city, "leader", f"select publication_id from publication where publication_id <> {newest}"
    )
    page, total = WRITTEN.dashboards["collection"], "delivered"
    query = f"select {WRITTEN.datasets['department_night'].metrics[total].sql}, min(publication_id), max(publication_id)"
    rows = f"from ({WRITTEN.datasets['department_night'].query}) as shown"
    now, before = (
        ask(city, "leader", f"{query} {rows}"),
        ask(city, "leader", f"{query} {rows}", publication=earlier),
    )
    assert now[0][1:] == (newest, newest) and before[0][1:] == (earlier, earlier)
    assert now[0][0] > before[0][0], "the second night brought more"
    # A connection that is not pinned finds nothing of another publication: nothing is shown under a wrong number.
    assert ask(city, "leader", f"{query} {rows} where publication_id = {earlier}")[0][0] is None
    publication.rollback(earlier, "回退演示", "test")
    try:
        assert ask(city, "leader", choice) == [(earlier,)], (
            "after a rollback the page begins with the old one"
        )
    finally:
        publication.rollback(newest, "恢复", "test")
    assert page.filters[0] == "publication"


@pytest.mark.parametrize("day", [date(2019, 3, 17), EARLIER - timedelta(days=10)])
def test_every_chart_of_the_plans_page_is_of_the_day_that_is_asked_for(
    city: dict[str, str], day: date
) -> None:
    page = WRITTEN.dashboards["plans"]

    def shown(name: str, **pinned: object) -> list[tuple[Any, ...]]:
        query = chart_query(WRITTEN, page, name, {"as_of": str(pinned["as_of"])} if pinned else {})
        return ask(city, "leader", query, **pinned)

    def standing(what: str, mart: str, rest: str = "") -> list[tuple[Any, ...]]:
        held = f"held_from <= '{day}' and (held_until is null or held_until >= '{day}')"
        return ask(city, "leader", f"select {what} from {mart} where {held} {rest}")

    ((number, done, overdue),) = standing(
        "count(*), avg((status_label in ('已完成', '逾期完成'))::int),"
        " count(*) filter (where status in ('overdue', 'never_evidenced'))",
        "plan_task_status",
    )
    by_status = sorted(standing("status_label, count(*)", "plan_task_status", "group by status_label"))
    assert [shown(name, as_of=day) for name in ("tasks", "done", "overdue_count")] == [
        [(number,)],
        [(done,)],
        [(overdue,)],
    ]
    assert sorted(shown("by_status", as_of=day)) == by_status
    assert shown("targets_open", as_of=day) == standing("count(*)", "plan_target_status")
    assert len(shown("targets", as_of=day)) == shown("targets_open", as_of=day)[0][0]
    assert {row[0] for row in shown("bullets", as_of=day)} == {
        row[0] for row in standing("metric", "plan_target_status", "and target_value is not null")
    }
    course = shown("timeline", as_of=day)
    assert max(row[0] for row in course) == day, "it ends with the day"
    assert sorted(row[1:] for row in course if row[0] == day) == by_status
    assert sum(row[2] for row in shown("leads", as_of=day)) >= overdue
    assert len(shown("overdue", as_of=day)) == number - round(number * done)
    # Pinned to another day than the page filters on, nothing is shown under a wrong date.
    assert ask(city, "leader", chart_query(WRITTEN, page, "by_status", {"as_of": str(day)})) == []


def test_the_plans_page_begins_with_the_publications_night(city: dict[str, str]) -> None:
    assert ask(city, "leader", first_value(WRITTEN, "as_of")) == [(NIGHT,)]
    assert ask(city, "leader", "select as_of, as_of_label from plan_day where is_read") == [(LAST, NIGHT)]
    choice = f"select min(as_of), max(as_of) from ({WRITTEN.datasets['plan_day'].query}) as choice"
    (first,) = ask(city, "leader", "select min(held_from) from plan_task_status")[0]
    assert ask(city, "leader", choice) == [(first, LAST)]
    assert ask(city, "leader", "select from plan_day where is_read", as_of=LAST + timedelta(days=1)) == []


def test_a_department_sees_its_own_rows_only(city: dict[str, str]) -> None:
    page = WRITTEN.dashboards["department"]
    for name in {chart.dataset for chart in page.charts.values()}:
        dataset = WRITTEN.datasets[name]
        if "department_name" in dataset.all_columns():
            query = f"select distinct department_name from ({dataset.query}) as rows"
            assert len(ask(city, "department", query)) == 1, name
            assert len(ask(city, "leader", query)) > 1, name


@pytest.mark.parametrize(
    ("role", "relation"),
    [
        ("leader", "mart.credit_record"),
        ("leader", "mart.subject_credit_profile"),
        ("analyst", "vault.identity"),
        ("department", "mart.department_metric_monthly"),
    ],
)
def test_what_a_role_may_not_read_the_database_refuses(
    city: dict[str, str], role: str, relation: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        ask(city, role, f"select * from {relation}")


def test_counts_too_small_to_be_shown_are_not(city: dict[str, str]) -> None:
    shown = ask(city, "leader", "select records, is_suppressed from credit_record_count_monthly")
    with connect() as connection:
        exact = connection.execute(
            "select count(*) from mart.queryable_credit_record where decision_date is not null"
            " group by date_trunc('month', decision_date), record_category, effect, authority_name"
        ).fetchall()
    assert {hidden for records, hidden in shown if records is None} == {True}
    assert min(records for records, _ in shown if records is not None) >= 5 > min(exact)[0]
