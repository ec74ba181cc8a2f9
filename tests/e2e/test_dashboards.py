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

from credit_warehouse.bulletin import printing
from credit_warehouse.dashboards import people, source
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
    written = {chart.title: chart for chart in page.charts.values()}
    assert charts.keys() == written.keys()
    assert [name for name, chart in charts.items() if chart["error"]] == []
    empty = [name for name, chart in charts.items() if chart["empty"] or not chart["drawn"]]
    assert [name for name in empty if not written[name].may_be_empty] == []


def test_the_figures_are_the_marts(system: System, tmp_path: Path) -> None:
    running = environment.load(system.home)
    with signed_in(system, tmp_path, "leader", 1440) as tab:
        for slug, page in WRITTEN.dashboards.items():
            charts = opened(tab, system, slug)
            for name, chart in page.charts.items():
                if chart.viz == "big_number_total":
                    ((value,),) = as_leader(running, chart_query(WRITTEN, page, name))
                    assert charts[chart.title]["text"] == told(value, chart.params["y_axis_format"]), (
                        chart.title
                    )


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
        opened(tab, system, "collection")
        earlier, _ = system.current()
        assert f"第 {earlier} 号" in tab.ask("document.body.innerText")
        system.ok("publish", "--rollback", "--to", str(newest), "--reason", "恢复")


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
    expected = len(WRITTEN.dashboards[slug].charts)
    tab.open("about:blank#again")
    tab.open(f"{environment.load(system.home).superset_url}/superset/dashboard/{slug}/")
    ready = f"(s => s.length === {expected} && s.every(c => !c.loading && (c.drawn || c.empty || c.error)))(JSON.parse({STATE}))"
    tab.until(ready, f"the charts of {slug} to be drawn")
    return {chart["name"]: chart for chart in json.loads(tab.ask(STATE))}


def as_leader(running: environment.Environment, query: str) -> list[tuple[Any, ...]]:
    login = people.login_of("Leader")
    password = people.login_password(running["CREDIT_DASHBOARDS_SECRET"], login)
    with psycopg.connect(running["CREDIT_DATABASE_URL"], user=login, password=password) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def told(value: Decimal | int | None, form: str) -> str:
    """A figure as Superset writes it."""
    if value is None:
        return "没有数据"
    return f"{value:,.0f}" if form == ",d" else f"{value:{form.replace(',.', ',.')}}"


def _fetched(path: str) -> str:
    """JavaScript that asks Superset's API as whoever is signed in, synchronously."""
    return (
        "(() => { const asked = new XMLHttpRequest(); "
        f"asked.open('GET', {json.dumps(path)}, false); asked.send(); return JSON.parse(asked.responseText); }})()"
    )
