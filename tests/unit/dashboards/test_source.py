"""What is written in dashboards/ against the marts' contracts, and the bundle Superset takes in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from credit_warehouse.dashboards import assets, source
from credit_warehouse.dashboards.marts import marts
from credit_warehouse.dashboards.people import department_role, login_of, people
from credit_warehouse.dashboards.source import PUBLICATION, Chart
from credit_warehouse.office import PAGES
from credit_warehouse.settings import PROJECT_DIR

WRITTEN = source.load()
FILES = {
    name: yaml.safe_load(content)
    for name, content in assets.bundle(WRITTEN, "postgresql://127.0.0.1/x").items()
}
CHARTS = [
    pytest.param(page, name, id=f"{slug}.{name}")
    for slug, page in WRITTEN.dashboards.items()
    for name in page.charts
]


@pytest.mark.parametrize("name", WRITTEN.datasets)
def test_every_column_of_a_dataset_is_in_its_marts_contract(name: str) -> None:
    dataset = WRITTEN.datasets[name]
    columns = dataset.all_columns()
    assert PUBLICATION in columns
    assert all(column.label for column in columns.values())
    assert not {"nan", "None"} & {column.label for column in columns.values()}


@pytest.mark.parametrize(("page", "name"), CHARTS)
def test_a_chart_asks_only_for_what_its_dataset_has(page: source.Dashboard, name: str) -> None:
    chart = page.charts[name]
    dataset = WRITTEN.datasets[chart.dataset]
    assert asked_columns(chart) <= dataset.all_columns().keys()
    assert asked_metrics(chart) <= dataset.metrics.keys()
    assert asked_columns(chart) | asked_metrics(chart), "it shows nothing"
    assert set(chart.ignores) <= set(page.filters)


@pytest.mark.parametrize("slug", WRITTEN.dashboards)
def test_a_page_shows_every_chart_once_and_reads_one_publication(slug: str) -> None:
    page = WRITTEN.dashboards[slug]
    placed = [chart for row in page.rows for chart in row.charts]
    assert sorted(placed) == sorted(page.charts)
    assert all(sum(row.charts.values()) <= 12 for row in page.rows)
    assert page.filters[0] == "publication"
    assert not any("publication" in chart.ignores for chart in page.charts.values())
    assert any(chart.dataset == "publication" for chart in page.charts.values()), (
        "the page says what it reads"
    )


@pytest.mark.parametrize("slug", WRITTEN.dashboards)
def test_a_pages_readers_may_read_every_mart_behind_it(slug: str) -> None:
    page = WRITTEN.dashboards[slug]
    datasets = {chart.dataset for chart in page.charts.values()}
    datasets |= {WRITTEN.filters[name].dataset for name in page.filters}
    for mart in {mart for name in datasets for mart in WRITTEN.datasets[name].marts}:
        assert set(page.readers) <= marts()[mart].readers.keys(), mart


@pytest.mark.parametrize("name", WRITTEN.filters)
def test_a_filter_offers_a_column_and_begins_with_a_metric_of_its_dataset(name: str) -> None:
    wanted = WRITTEN.filters[name]
    dataset = WRITTEN.datasets[wanted.dataset]
    assert wanted.column in dataset.all_columns()
    assert wanted.first is None or (wanted.single and wanted.first in dataset.metrics)


def test_every_chart_in_a_layout_carries_its_identifier() -> None:
    charts = {content["uuid"] for name, content in FILES.items() if name.startswith("charts/")}
    placed = [
        node["meta"]["uuid"]
        for name, content in FILES.items()
        if name.startswith("dashboards/")
        for node in content["position"].values()
        if isinstance(node, dict) and node["type"] == "CHART"
    ]
    assert sorted(placed) == sorted(charts)


@pytest.mark.parametrize("slug", WRITTEN.dashboards)
def test_a_page_links_to_those_beside_airflows(slug: str) -> None:
    linked = yaml.safe_load(
        assets.bundle(WRITTEN, "postgresql://127.0.0.1/x", "https://office.invalid/airflow/")[
            f"dashboards/{slug}.yaml"
        ]
    )["position"]
    row = linked["GRID_ID"]["children"][-1]
    (text,) = (linked[node]["meta"]["code"] for node in linked[row]["children"])
    assert {"(https://office.invalid/airflow/office/" + page.path + ")" for page in PAGES} == {
        link for link in re.findall(r"\([^)]*\)", text) if "//" in link
    }
    assert "MARKDOWN" not in str(FILES[f"dashboards/{slug}.yaml"]["position"]), (
        "without an address there is no link"
    )


def test_identifiers_are_one_each_and_stay() -> None:
    identifiers = [content["uuid"] for content in FILES.values() if "uuid" in content]
    assert len(identifiers) == len(set(identifiers))
    assert assets.bundle(WRITTEN, "postgresql://127.0.0.1/x") == assets.bundle(
        WRITTEN, "postgresql://127.0.0.1/x"
    )
    assert FILES["databases/warehouse.yaml"]["uuid"] == "cefe0768-e93f-5f06-8c70-24855e0edc20"


def test_the_bundle_holds_no_password() -> None:
    assert "password" not in json.dumps(FILES)


def test_every_dashboard_is_an_exposure_of_dbt_with_the_marts_it_reads() -> None:
    file = PROJECT_DIR / "dbt_project" / "models" / "exposures.yml"
    declared: dict[str, Any] = {
        exposure["name"]: exposure
        for exposure in yaml.safe_load(file.read_text(encoding="utf-8"))["exposures"]
    }
    assert declared.keys() == {f"dashboard_{slug}" for slug in WRITTEN.dashboards}
    for slug, page in WRITTEN.dashboards.items():
        datasets = {chart.dataset for chart in page.charts.values()}
        datasets |= {WRITTEN.filters[name].dataset for name in page.filters}
        read = {f"ref('{marts()[mart].model}')" for name in datasets for mart in WRITTEN.datasets[name].marts}
        exposure = declared[f"dashboard_{slug}"]
        assert set(exposure["depends_on"]) == read, slug
        assert exposure["label"] == page.title


def test_everybody_reads_by_a_login_of_the_own_role() -> None:
    everyone = people({"tax": "税务局", "court": "法院"}.items())
    assert [person.name for person in everyone] == ["admin", "leader", "analyst", "court", "tax"]
    assert len({person.login for person in everyone}) == len(everyone)
    assert login_of(department_role("tax")) == "superset_tax"
    assert {person.department for person in everyone if person.reads_as != "department"} == {None}


def asked_columns(chart: Chart) -> set[str]:
    params = chart.params
    names = {
        *params.get("all_columns", ()),
        *_listed(params.get("groupby", ())),
        *_listed(params.get("x_axis", ())),
    }
    names |= {json.loads(order)[0] for order in params.get("order_by_cols", ())}
    sort = params.get("x_axis_sort")
    return names | ({sort} if sort and sort not in asked_metrics(chart) else set())


def asked_metrics(chart: Chart) -> set[str]:
    params = chart.params
    return {
        *params.get("metrics", ()),
        *_listed(params.get("metric", ())),
        *_listed(params.get("timeseries_limit_metric", ())),
    }


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
