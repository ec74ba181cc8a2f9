"""The dashboards in Superset's import format: file name → YAML. Every identifier follows from a name, so that a second
import changes what the first one made."""

from __future__ import annotations

import uuid
from typing import Any

import yaml

from credit_warehouse.dashboards.source import Chart, Dashboard, Dataset, Filter, Source
from credit_warehouse.office import PAGES, PREFIX

DATABASE = "信用数据仓库"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "dashboards.credit-warehouse.invalid")
_VERSION = "1.0.0"


def identifier(kind: str, name: str) -> str:
    """The uuid of a database, dataset, chart or dashboard."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{name}"))


def bundle(source: Source, database_url: str, airflow_url: str = "") -> dict[str, str]:
    """Every file of the import. ``database_url`` names server and database; who reads is decided per user. Pages link to
    those beside Airflow's at ``airflow_url``, as browsers see it; where none is given, to none."""
    files: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"},
        "databases/warehouse.yaml": _database(database_url),
    }
    for name, dataset in source.datasets.items():
        files[f"datasets/warehouse/{name}.yaml"] = _dataset(name, dataset)
    for slug, page in source.dashboards.items():
        for name, chart in page.charts.items():
            files[f"charts/{slug}_{name}.yaml"] = _chart(f"{slug}.{name}", chart)
        files[f"dashboards/{slug}.yaml"] = _dashboard(slug, page, source, airflow_url)
    return {
        name: yaml.safe_dump(content, allow_unicode=True, sort_keys=False) for name, content in files.items()
    }


def _database(url: str) -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": url,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True},
        "uuid": identifier("database", "warehouse"),
        "is_managed_externally": True,
        "version": _VERSION,
    }


def _dataset(name: str, dataset: Dataset) -> dict[str, Any]:
    columns = [
        {
            "column_name": column.name,
            "verbose_name": column.label,
            "type": column.data_type.split("(")[0].upper(),
            "is_dttm": column.data_type.startswith(("date", "timestamp")),
            "is_active": True,
            "groupby": True,
            "filterable": True,
        }
        for column in dataset.all_columns().values()
    ]
    metrics = [
        {
            "metric_name": metric_name,
            "verbose_name": metric.label,
            "expression": metric.sql,
            "d3format": metric.format,
        }
        for metric_name, metric in dataset.metrics.items()
    ]
    return {
        "table_name": dataset.label,
        "description": dataset.label,
        "schema": None,
        "sql": dataset.query,
        "filter_select_enabled": True,
        "extra": None,
        "uuid": identifier("dataset", name),
        "columns": columns,
        "metrics": metrics,
        "version": _VERSION,
        "database_uuid": identifier("database", "warehouse"),
        "is_managed_externally": True,
    }


def _chart(name: str, chart: Chart) -> dict[str, Any]:
    filters = []
    if chart.where:
        filters.append(
            {
                "expressionType": "SQL",
                "clause": "WHERE",
                "sqlExpression": chart.where,
                "filterOptionName": f"filter_{identifier('where', name)}",
            }
        )
    return {
        "slice_name": chart.title,
        "description": chart.note or None,
        "viz_type": chart.viz,
        "params": {"viz_type": chart.viz, "adhoc_filters": filters, **chart.params},
        "cache_timeout": None,
        "uuid": identifier("chart", name),
        "version": _VERSION,
        "dataset_uuid": identifier("dataset", chart.dataset),
        "is_managed_externally": True,
    }


def _dashboard(slug: str, page: Dashboard, source: Source, airflow_url: str) -> dict[str, Any]:
    numbers = {name: number for number, name in enumerate(page.charts, start=1)}
    return {
        "dashboard_title": page.title,
        "description": page.question,
        "css": source.style,
        "slug": slug,
        "uuid": identifier("dashboard", slug),
        "position": _position(slug, page, numbers, airflow_url),
        "metadata": {
            "native_filter_configuration": [
                _filter(slug, name, source.filters[name], page, numbers) for name in page.filters
            ],
            "cross_filters_enabled": False,
            "chart_configuration": {},
            "global_chart_configuration": {
                "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
                "chartsInScope": [],
            },
            "color_scheme": "supersetColors",
            "label_colors": page.colors,
            "refresh_frequency": 0,
            "filter_bar_orientation": "HORIZONTAL",
        },
        "published": True,
        "is_managed_externally": True,
        "version": _VERSION,
    }


def _position(slug: str, page: Dashboard, numbers: dict[str, int], airflow_url: str) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": page.title}},
    }
    for number, row in enumerate(page.rows, start=1):
        row_id = f"ROW-{number}"
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = _row(row_id, [f"CHART-{name}" for name in row.charts])
        for name, width in row.charts.items():
            position[f"CHART-{name}"] = {
                "type": "CHART",
                "id": f"CHART-{name}",
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "meta": {
                    "chartId": numbers[name],
                    "uuid": identifier("chart", f"{slug}.{name}"),
                    "sliceName": page.charts[name].title,
                    "width": width,
                    "height": row.height,
                },
            }
    if airflow_url:
        position["GRID_ID"]["children"].append("ROW-links")
        position["ROW-links"] = _row("ROW-links", ["MARKDOWN-links"])
        position["MARKDOWN-links"] = {
            "type": "MARKDOWN",
            "id": "MARKDOWN-links",
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID", "ROW-links"],
            "meta": {"code": _links(airflow_url), "width": 12, "height": 8},
        }
    return position


def _row(row_id: str, children: list[str]) -> dict[str, Any]:
    return {
        "type": "ROW",
        "id": row_id,
        "children": children,
        "parents": ["ROOT_ID", "GRID_ID"],
        "meta": {"background": "BACKGROUND_TRANSPARENT"},
    }


def _links(airflow_url: str) -> str:
    """To the pages beside Airflow's, in Markdown."""
    links = (f"[{page.label}]({airflow_url.rstrip('/')}{PREFIX}/{page.path})" for page in PAGES)
    return f"数据从哪里来、检查结果如何（需 Airflow 账号）： {' · '.join(links)}"


def _filter(slug: str, name: str, wanted: Filter, page: Dashboard, numbers: dict[str, int]) -> dict[str, Any]:
    excluded = [numbers[chart] for chart, written in page.charts.items() if name in written.ignores]
    # Everything on a page is of one publication: other filters offer what that one has.
    parents = [filter_id(slug, "publication")] if name != "publication" else []
    return {
        "id": filter_id(slug, name),
        "name": wanted.label,
        "description": wanted.hint,
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "targets": [
            {"datasetUuid": identifier("dataset", wanted.dataset), "column": {"name": wanted.column}}
        ],
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "controlValues": {
            "multiSelect": not wanted.single,
            "enableEmptyFilter": wanted.first is not None,
            "defaultToFirstItem": wanted.first is not None,
            "searchAllOptions": False,
            "inverseSelection": False,
            **({"sortAscending": False} if wanted.first else {}),
        },
        **({"sortMetric": wanted.first} if wanted.first else {}),
        "requiredFirst": wanted.first is not None,
        "cascadeParentIds": parents,
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
    }


def filter_id(slug: str, name: str) -> str:
    """A page's filter, as its field is named in the page."""
    return f"NATIVE_FILTER-{identifier('filter', f'{slug}.{name}')}"
