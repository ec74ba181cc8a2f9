"""The metric dictionary: ``metrics/metrics.yaml`` → ``ops.metric``, which every metric view is read through."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from credit_warehouse.database import replace_rows
from credit_warehouse.settings import get_settings


class Metric(BaseModel):
    """One metric. ``unit`` share: numerator / denominator; else the numerator is the value (workdays, days, a count)
    and the denominator how many it was taken from. ``higher_is_better`` none = a size, no merit."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    code: str
    label: str
    name: str
    formula: str
    numerator: str
    denominator: str | None = None
    unit: Literal["share", "workday", "day", "count"]
    higher_is_better: bool | None = None
    source: str

    @model_validator(mode="after")
    def _a_share_has_a_denominator(self) -> Metric:
        if (self.unit == "count") != (self.denominator is None):
            raise ValueError(f"{self.code}: every metric but a count names its denominator")
        return self


class MetricError(ValueError):
    """The dictionary cannot be used; the message names the metric and what is wrong with it."""


def load_metrics(path: Path | None = None) -> tuple[Metric, ...]:
    """The metrics of ``path`` (default: the project's), in the order they are shown.

    Raises:
        MetricError: not YAML, or not what :class:`Metric` allows, or a code used twice.
    """
    return _load(path or get_settings().metrics_file)


@lru_cache(maxsize=4)
def _load(path: Path) -> tuple[Metric, ...]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        metrics = TypeAdapter(tuple[Metric, ...]).validate_python(entries)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise MetricError(f"{path.name}: {error}") from error
    if len({metric.code for metric in metrics}) != len(metrics):
        raise MetricError(f"{path.name}: a metric code is used twice")
    return metrics


def apply(connection: psycopg.Connection, metrics: tuple[Metric, ...]) -> None:
    """Replace what the database knows of the metrics. Idempotent."""
    names = {"code": "metric_code", "label": "metric_label", "name": "metric_name"}
    rows = [{names.get(key, key): value for key, value in metric.model_dump().items()} for metric in metrics]
    with connection.transaction():
        replace_rows(connection, "metric", ["metric_code"], rows)
