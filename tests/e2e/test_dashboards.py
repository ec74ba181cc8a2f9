"""The dashboards in a browser, over a demo city: every role opens what it may, and every chart is drawn.

Needs Superset (`make dashboards` installs it) and Chromium; says so and is skipped where one is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from credit_warehouse import office
from credit_warehouse.bulletin import printing
from credit_warehouse.dashboards import assets, people, source
from credit_warehouse.dashboards.pinning import asked
from credit_warehouse.runtime import environment, superset
from credit_warehouse.runtime.environment import EnvironmentMissing
from tests.dashboard_queries import chart_query
from tests.e2e.browser import Browser
from tests.e2e.system import System

WRITTEN = source.load()
READERS = {"leader": "leader", "analyst": "analyst", "tax": "department"}
PAGES = [
    pytest.param(user, slug, width, id=f"{user}-{slug}-{width}")
    for user, role in READERS.items()
    for slug, page in WRITTEN.dashboards.items()
    if role in page.readers
    for width in ((1440, 390) if user == "leader" else (1440,))
]
# Charts far below the window are not drawn until somebody scrolls there, so the window is long.
HEIGHT = 5000
STATE = """
JSON.stringify([...document.querySelectorAll('[data-test="chart-grid-component"]')].map(chart => ({
    name: chart.getAttribute('data-test-chart-name'),
    loading: chart.querySelector('.loading, [data-test="loading-indicator"]') !== null,
    drawn: chart.querySelector('canvas, svg, table, .header-line') !== null,
    empty: chart.querySelector('.ant-empty') !== null,
    error: chart.querySelector('.ant-alert-error, [data-test="error-message"]') !== null,
    text: (chart.querySelector('.header-line') || {innerText: ''}).innerText,
})))
"""


def _missing() -> str | None:
    if printing.browser() is None:
        return "没有安装 Chromium，驾驶舱的浏览器测试未运行（apt install chromium）"
    try:
        superset.python()
    except EnvironmentMissing as missing:
        return str(missing)
    return None


pytestmark = pytest.mark.skipif(_missing() is not None, reason=_missing() or "")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A demo city of two nights with its dashboards."""
    found = System(tmp_path_factory.mktemp("system"))
    found.ok("demo")
    found.ok(
        "plan", "evidence", "add", "huizhou_personal-T001", "--kind", "completed", "--on", "2019-03-05",
        "--document", "示例〔2019〕1号", "--note", "示例佐证",
    )  # fmt: skip
    found.ok("nightly", "2026-03-03")
    found.ok("dashboards")
    yield found
    found.ok("clean")


@pytest.mark.parametrize(("user", "slug", "width"), PAGES)
def test_every_chart_of_a_page_is_drawn(
    system: System, tmp_path: Path, user: str, slug: str, width: int
) -> None:
    page = WRITTEN.dashboards[slug]
    with signed_in(system, tmp_path, user, width) as tab:
        charts = opened(tab, system, slug)
        assert width < 600 or tab.sheets() == 1, "a page prints whole, on one sheet"
    written = {chart.title: chart for chart in page.charts.values()}
    assert charts.keys() == written.keys()
    assert [name for name, chart in charts.items() if chart["error"]] == []
    empty = [name for name, chart in charts.items() if chart["empty"] or not chart["drawn"]]
    assert [name for name in empty if not written[name].may_be_empty] == []


def test_the_figures_are_the_marts(system: System, tmp_path: Path) -> None:
    running = environment.load(system.home)
    with signed_in(system, tmp_path, "leader", 1440) as tab:
        for slug, page in WRITTEN.dashboards.items():
            assert figures(opened(tab, system, slug), page) == expected(running, page)


def test_a_department_finds_one_page_and_its_own_rows(system: System, tmp_path: Path) -> None:
    with signed_in(system, tmp_path, "tax", 1440) as tab:
        listed = tab.ask(_fetched("/api/v1/dashboard/?q=(page_size:50)"))
        assert [found["slug"] for found in listed["result"]] == ["department"]
        opened(tab, system, "department")
        assert "国家税务总局惠州市税务局" in tab.ask("document.body.innerText")
        assert "惠州市中级人民法院" not in tab.ask("document.body.innerText")


def test_a_page_shows_the_publication_in_force_and_after_a_rollback_the_old_one(
    system: System, tmp_path: Path
) -> None:
    newest, _ = system.current()
    with signed_in(system, tmp_path, "leader", 1440) as tab:
        opened(tab, system, "collection")
        assert f"第 {newest} 号" in tab.ask("document.body.innerText")
        system.ok("publish", "--rollback", "--reason", "演示回退")
        earlier, _ = system.current()
        tab.reload()
        drawn(tab, "collection")
        assert f"第 {earlier} 号" in tab.ask("document.body.innerText")
        system.ok("publish", "--rollback", "--to", str(newest), "--reason", "恢复")


def test_the_plans_page_shows_any_day(system: System, tmp_path: Path) -> None:
    page = WRITTEN.dashboards["plans"]
    with signed_in(system, tmp_path, "leader", 1440) as tab:
        opened(tab, system, "plans")
        for day, done in (("2019-03-04", 0), ("2019-03-17", 1)):
            charts = chosen(tab, "plans", "as_of", day)
            told_there = figures(charts, page)
            assert told_there == expected(environment.load(system.home), page, {"as_of": day})
            ((tasks, met),) = system.rows(
                "select count(*), count(*) filter (where status_label in ('已完成', '逾期完成')) from mart.plan_task_status"
                " where held_from <= %s and (held_until is null or held_until >= %s)",
                day, day,
            )  # fmt: skip
            assert met == done and told_there["任务完成率"] == f"{met / tasks:.1%}"


@pytest.mark.parametrize("slug", [slug for slug in WRITTEN.dashboards if slug != "plans"])
def test_another_publication_is_chosen_and_every_figure_is_of_that_one(
    system: System, tmp_path: Path, slug: str
) -> None:
    page = WRITTEN.dashboards[slug]
    newest, _ = system.current()
    ((earlier,),) = system.rows(
        "select max(publication_id) from mart.publication where publication_id < %s", newest
    )
    with signed_in(system, tmp_path, "leader", 1440) as tab:
        opened(tab, system, slug)
        charts = chosen(tab, slug, "publication", str(earlier))
        text = tab.ask("document.body.innerText")
    assert f"第 {earlier} 号" in text and f"第 {newest} 号" not in text
    assert figures(charts, page) == expected(
        environment.load(system.home), page, {"publication": str(earlier)}
    )
    assert [chart["name"] for chart in charts.values() if chart["error"]] == []


def test_every_page_links_to_those_beside_airflows(system: System, tmp_path: Path) -> None:
    airflow = environment.load(system.home)["AIRFLOW__API__BASE_URL"]
    with signed_in(system, tmp_path, "tax", 1440) as tab:
        opened(tab, system, "department")
        linked = tab.ask("[...document.querySelectorAll('a')].map(link => link.href)")
    assert {f"{airflow}{office.PREFIX}/{page.path}" for page in office.PAGES} <= set(linked)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select count(*) from credit_record", '"status": "success"'),
        ("select * from vault.identity", "permission denied for schema vault"),
        ("delete from mart.feed", "DML_NOT_ALLOWED_ERROR"),
    ],
)
def test_what_an_analyst_may_not_is_refused_in_sql_lab(
    system: System, tmp_path: Path, query: str, words: str
) -> None:
    with signed_in(system, tmp_path, "analyst", 1440) as tab:
        tab.open(f"{environment.load(system.home).superset_url}/sqllab/")
        (database,) = tab.ask(_fetched("/api/v1/database/"))["result"]
        told = tab.ask(_posted("/api/v1/sqllab/execute/", {"database_id": database["id"], "sql": query}))
    assert words in told


def test_a_second_load_changes_nothing(system: System) -> None:
    assert "nothing to load" in system.ok("dashboards")


def signed_in(system: System, profile: Path, user: str, width: int) -> Browser:
    """A browser in which somebody has signed in."""
    running = environment.load(system.home)
    tab = Browser(profile, width, HEIGHT)
    tab.open(f"{running.superset_url}/login/")
    tab.type_into("#username", user)
    tab.type_into("#password", people.first_password(running["CREDIT_DASHBOARDS_SECRET"], user))
    tab.ask("document.querySelector('button[type=submit]').click()")
    tab.until("!location.pathname.startsWith('/login')", f"{user} to be signed in")
    return tab


def opened(tab: Browser, system: System, slug: str) -> dict[str, dict[str, Any]]:
    """Open a page and wait until no chart is loading; the charts by title."""
    tab.open("about:blank#again")
    tab.open(f"{environment.load(system.home).superset_url}/superset/dashboard/{slug}/")
    return drawn(tab, slug)


def chosen(tab: Browser, slug: str, name: str, value: str) -> dict[str, dict[str, Any]]:
    """Choose a value of a filter of the page that is open; the charts by title."""
    options = "[...document.querySelectorAll('.ant-select-item-option')].filter(o => o.getBoundingClientRect().height > 0)"
    field = f"#{assets.filter_id(slug, name)}"
    tab.click(field)
    tab.until(f"{options}.length > 0", f"the values of {name} to be listed")
    tab.type_into(field, value)
    option = f"{options}.find(o => o.title === {json.dumps(value)})"
    tab.until(f"{option} !== undefined", f"{value} to be offered")
    tab.ask(f"{option}.click()")
    apply = '[data-test="filter-bar__apply-button"]'
    tab.until(f"!document.querySelector({json.dumps(apply)}).disabled", "the choice to be taken")
    requests = "performance.getEntriesByType('resource').filter(r => r.name.includes('/chart/data')).length"
    before = tab.ask(requests)
    tab.click(apply)
    tab.until(f"{requests} > {before}", "the charts to be asked for again")
    return drawn(tab, slug)


def drawn(tab: Browser, slug: str) -> dict[str, dict[str, Any]]:
    """Wait until no chart of the page that is open is loading; the charts by title."""
    number = len(WRITTEN.dashboards[slug].charts)
    ready = f"(s => s.length === {number} && s.every(c => !c.loading && (c.drawn || c.empty || c.error)))(JSON.parse({STATE}))"
    tab.until(ready, f"the charts of {slug} to be drawn")
    return {chart["name"]: chart for chart in json.loads(tab.ask(STATE))}


def figures(charts: dict[str, dict[str, Any]], page: source.Dashboard) -> dict[str, str]:
    """The page's large figures, as they are shown."""
    large = {chart.title for chart in page.charts.values() if chart.viz == "big_number_total"}
    return {title: chart["text"] for title, chart in charts.items() if title in large}


def expected(
    running: environment.Environment, page: source.Dashboard, chosen: dict[str, str] | None = None
) -> dict[str, str]:
    """The same as the marts have them, with the page's first or the chosen values."""
    chosen = chosen or {}
    columns = {WRITTEN.filters[name].column: value for name, value in chosen.items()}
    pinned = asked(
        {"queries": [{"filters": [{"col": c, "op": "IN", "val": [v]} for c, v in columns.items()]}]}
    )
    return {
        chart.title: told(
            as_leader(running, chart_query(WRITTEN, page, name, chosen), pinned),
            chart.params["y_axis_format"],
        )
        for name, chart in page.charts.items()
        if chart.viz == "big_number_total"
    }


def as_leader(
    running: environment.Environment, query: str, pinned: dict[str, str] | None = None
) -> list[tuple[Any, ...]]:
    login = people.login_of("Leader")
    password = people.login_password(running["CREDIT_DASHBOARDS_SECRET"], login)
    with psycopg.connect(running["CREDIT_DATABASE_URL"], user=login, password=password) as connection:
        for name, value in (pinned or {}).items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def told(rows: list[tuple[Decimal | int]], form: str) -> str:
    """A figure as Superset writes it; one that is unknown has no row."""
    if not rows:
        return "没有数据"
    ((value,),) = rows
    return f"{value:,.0f}" if form == ",d" else f"{value:{form}}"


def _posted(path: str, content: dict[str, Any]) -> str:
    """JavaScript that sends this to Superset's API, as its own pages do; the answer's text."""
    return (
        "(() => { const asked = new XMLHttpRequest(); "
        f"asked.open('POST', {json.dumps(path)}, false); asked.setRequestHeader('Content-Type', 'application/json'); "
        "asked.setRequestHeader('X-CSRFToken', document.querySelector('#csrf_token').value); "
        f"asked.send({json.dumps(json.dumps(content))}); return asked.responseText; }})()"
    )


def _fetched(path: str) -> str:
    """JavaScript that asks Superset's API as whoever is signed in, synchronously."""
    return (
        "(() => { const asked = new XMLHttpRequest(); "
        f"asked.open('GET', {json.dumps(path)}, false); asked.send(); return JSON.parse(asked.responseText); }})()"
    )
