"""A year of five cities: every metric of every month equals a computation in pandas from the generated truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.metrics import load_metrics
from credit_warehouse.settings import PROJECT_DIR, get_settings
from tests import databases

from .city import CONTRACTS
from .dbt_process import dbt
from .metric_reference import Figure, Reference
from .metric_year import CITIES, FEEDS, FIRST, LAST, VIOLATION, City, Year
from .semantic import Semantics

PROJECT = PROJECT_DIR / "dbt_project"
STAGES = (date(2025, 8, 15), LAST)
MARTS = (
    "department_coverage_daily", "reporting_delay_daily", "district_daily", "reporting_period", "spot_check_monthly",
    "declared_production_monthly", "repair", "objection",
)  # fmt: skip
VIEWS = "+department_metric_monthly +domain_metric_monthly +district_metric_monthly"
VIEW_ONLY = {"delay_p50", "delay_p90", "freshness_days", "item_coverage_rate", "department_coverage_rate"}
"""What does not add up, and no measure can say."""
UNITS = {metric.code: metric.unit for metric in load_metrics()}


@pytest.fixture(scope="module")
def staged(postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the calendar and the staging views, which are the same for every city."""
    name = databases.create(postgres_server, warehouse_template, prefix="staged")
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("staged"))
        dbt(patch, PROJECT, 1, FIRST, "seed")
        dbt(patch, PROJECT, 1, FIRST, "run", "--select", "staging")
    get_settings.cache_clear()
    return name


@pytest.fixture
def build(
    postgres_server: str, staged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., int]]:
    """Build a candidate of what the metrics hang on. Returns its number."""

    def run(night: date, *options: str, verb: str = "run") -> int:
        opened = publication.open_candidate(night, full_refresh=bool(options))
        assert opened is not None
        selection = ["--select", *VIEWS.split(), "--exclude", "staging", "announced_day"]
        dbt(monkeypatch, PROJECT, opened.publication_id, opened.business_date, verb, *selection, *options)
        return opened.publication_id

    name = databases.create(postgres_server, staged)
    databases.use(monkeypatch, postgres_server, name, tmp_path / "home")
    yield run
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


def prepare(city: City) -> None:
    with connect() as connection:
        connection.execute("update ops.office set city = %s", [city.code])
        connection.execute(
            "update ops.catalogue_item set report_period = %s where catalogue_item_code = %s",
            [city.tax_period, CONTRACTS[VIOLATION].item.code],
        )


def read(view: str, keys: str, as_of: int) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    with connect(as_of) as connection:
        rows = connection.execute(
            f"select metric_code, month, {keys}, numerator, denominator, rate, is_small, is_known from mart.{view}"
        ).fetchall()
    width = 2 + len(keys.split(","))
    found = {row[:width]: row[width:] for row in rows}
    assert len(found) == len(rows), "one row per key"
    return found


def judge(metric: str, figure: Figure) -> tuple[Any, ...]:
    """Figure, rate and flags as they are to be read."""
    numerator, denominator = figure
    unit = UNITS[metric]
    rate = numerator / denominator if unit == "share" and numerator is not None and denominator else None
    is_small = unit in ("share", "workday") and denominator is not None and denominator < 30
    is_known = numerator is not None and (unit != "share" or denominator is not None)
    return numerator, denominator, pytest.approx(rate) if rate is not None else None, is_small, is_known


def agree(found: dict[tuple[Any, ...], tuple[Any, ...]], wanted: dict[tuple[Any, ...], Figure]) -> None:
    """Cell by cell; what nobody measured is unknown."""
    assert not set(wanted) - set(found)
    wrong = {
        key: (cells, wanted.get(key))
        for key, cells in found.items()
        if tuple(float(c) if c is not None and not isinstance(c, bool) else c for c in cells)
        != judge(key[0], wanted.get(key, (None, None)))
    }
    assert wrong == {}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.code)
def test_every_metric_of_a_year_equals_the_reference(build: Callable[..., int], city: City) -> None:
    prepare(city)
    year = Year(city, seed=len(city.name) * 1000 + len(city.districts))
    before = FIRST
    for stage in STAGES:
        year.play(before, stage)
        candidate = build(stage)
        reference = Reference(city, year.truth, stage)
        check(reference, candidate)
        publication.publish(candidate, "test")
        before = stage
    if city is CITIES[0]:
        semantic_figures_agree(candidate)
        rebuilt = build(LAST, "--full-refresh", "--exclude-resource-type", "unit_test", verb="build")
        with connect() as connection:
            for mart in MARTS:
                changed = connection.execute(
                    f"select count(*) from mart_store.{mart}"
                    " where %(n)s in (valid_from_publication, valid_to_publication)",
                    {"n": rebuilt},
                ).fetchone()
                assert changed == (0,), f"{mart}: a rebuild finds nothing that the nights had missed"


def semantic_figures_agree(candidate: int) -> None:
    """What a tool computes from dbt's semantic definitions is what the view says of the whole city."""
    semantics = Semantics(get_settings().dbt_target_dir)
    assert [spine["node_relation"]["alias"] for spine in semantics.time_spines] == ["working_day"]
    assert set(UNITS) - set(semantics.metrics) == VIEW_ONLY
    found = read("domain_metric_monthly", "domain", candidate)
    with connect(candidate) as connection:
        for code in set(UNITS) - VIEW_ONLY:
            for place, measure in enumerate(semantics.parts(code)):
                if measure is None:
                    continue
                told = {
                    month: value
                    for month, value in semantics.by_month(connection, measure).items()
                    if value is not None
                }
                shown = {
                    key[1]: cells[place] for key, cells in found.items()
                    if (key[0], key[2]) == (code, "全市") and cells[place] is not None
                }  # fmt: skip
                assert told and told == shown, code


def check(reference: Reference, candidate: int) -> None:
    assert set(reference.periods.state) >= {"reported", "zero_report", "missing"}
    departments = sorted({CONTRACTS[feed].terms.department.code for feed in FEEDS})
    wanted: dict[tuple[Any, ...], Figure] = {}
    for (metric, month, feed), figure in reference.feed_figures().items():
        wanted[metric, month, CONTRACTS[str(feed)].terms.department.code, feed] = figure
    for department in departments:
        feeds = [feed for feed in FEEDS if CONTRACTS[feed].terms.department.code == department]
        for (metric, month, _), figure in reference.figures(feeds).items():
            wanted[metric, month, department, None] = figure
    agree(read("department_metric_monthly", "department_code, feed", candidate), wanted)

    domains = {CONTRACTS[feed].item.domain for feed in FEEDS} - {None}
    wanted = {}
    for domain in (*domains, "全市"):
        feeds = [feed for feed in FEEDS if domain in (CONTRACTS[feed].item.domain, "全市")]
        for (metric, month, _), figure in reference.figures(feeds).items():
            wanted[metric, month, domain] = figure
    agree(read("domain_metric_monthly", "domain", candidate), wanted)
    agree(read("district_metric_monthly", "district_code", candidate), dict(reference.district_figures()))
    with connect(candidate) as connection:
        rows = connection.execute(
            "select feed, period_end, due_on, reported_on, state from mart.reporting_period"
        )
        assert sorted(rows.fetchall()) == sorted(reference.periods.itertuples(index=False, name=None))
