"""The queries Superset makes of a chart, made without Superset: for tests of the figures where it is not installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from credit_warehouse.dashboards.source import Chart, Dashboard, Source


def chart_query(
    source: Source, page: Dashboard, name: str, chosen: Mapping[str, str | int] | None = None
) -> str:
    """What a chart shows when a page is opened: with the values its filters begin with, but for the ``chosen`` ones."""
    chart = page.charts[name]
    dataset = source.datasets[chart.dataset]
    conditions = [f"({chart.where})"] if chart.where else []
    for filter_name in page.filters:
        wanted = source.filters[filter_name]
        if filter_name in chart.ignores or wanted.column not in dataset.all_columns():
            continue
        if filter_name in (chosen or {}):
            conditions.append(f"{wanted.column} = '{(chosen or {})[filter_name]}'")
        elif wanted.first:
            conditions.append(f"{wanted.column} = ({first_value(source, filter_name)})")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    rows = f"from ({dataset.query}) as virtual{where}"
    if chart.params.get("query_mode") == "raw":
        return f"select {', '.join(chart.params['all_columns'])} {rows}"
    metrics = [dataset.metrics[metric].sql for metric in _metrics(chart)]
    groups = _groups(chart)
    # Superset too leaves out a group none of whose metrics has a value.
    having = " or ".join(f"({metric}) is not null" for metric in metrics)
    grouping = f" group by {', '.join(groups)}" if groups else ""
    return f"select {', '.join([*groups, *metrics])} {rows}{grouping} having {having}"


def first_value(source: Source, filter_name: str) -> str:
    """The value a filter begins with."""
    wanted = source.filters[filter_name]
    dataset = source.datasets[wanted.dataset]
    order = dataset.metrics[wanted.first or ""].sql
    return f"select {wanted.column} from ({dataset.query}) as choice group by {wanted.column} order by {order} desc limit 1"


def _metrics(chart: Chart) -> Iterable[str]:
    return chart.params["metrics"] if "metrics" in chart.params else [chart.params["metric"]]


def _groups(chart: Chart) -> list[str]:
    given: list[Any] = [chart.params.get("x_axis"), chart.params.get("groupby", [])]
    return [name for part in given if part for name in ([part] if isinstance(part, str) else part)]
