"""The yearly score sheet (考核): ``appraisal/sheet.yaml`` → ``ops.appraisal_indicator``; the marts give the points."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from credit_warehouse.database import replace_rows
from credit_warehouse.metrics import load_metrics
from credit_warehouse.settings import get_settings


class Indicator(BaseModel):
    """One line of the sheet, for the years whose first day it holds on.

    With a ``metric`` (of unit share) the points are the share of ``max_points`` the year's rate reaches, all of them from
    ``full_from`` on; a rate that is better low counts turned round. Without one an officer enters the points.
    ``feeds`` narrows the metric to these feeds.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    code: str
    label: str
    category: str
    max_points: float = Field(gt=0)
    is_bonus: bool = False
    """Points on top: they are not missed by who has none."""
    metric: str | None = None
    feeds: tuple[str, ...] = ()
    full_from: float | None = Field(default=None, gt=0, le=1)
    valid_from: date
    valid_to: date | None = None
    source: str

    @model_validator(mode="after")
    def _is_consistent(self) -> Indicator:
        if self.metric is None and (self.feeds or self.full_from):
            raise ValueError(f"{self.code}: feeds and fullFrom speak of a metric, and there is none")
        if self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"{self.code}: validTo lies before validFrom")
        return self


class SheetError(ValueError):
    """The sheet cannot be used; the message names the indicator and what is wrong with it."""


def load_sheet(path: Path | None = None) -> tuple[Indicator, ...]:
    """The indicators of ``path`` (default: the project's), in the order of the sheet.

    Raises:
        SheetError: not YAML, not what :class:`Indicator` allows, an unknown metric, or one that is no share, or two
            versions of an indicator that hold on the same day.
    """
    return _load(path or get_settings().appraisal_file)


@lru_cache(maxsize=4)
def _load(path: Path) -> tuple[Indicator, ...]:
    try:
        sheet = TypeAdapter(tuple[Indicator, ...]).validate_python(
            yaml.safe_load(path.read_text(encoding="utf-8"))
        )
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SheetError(f"{path.name}: {error}") from error
    shares = {metric.code for metric in load_metrics() if metric.unit == "share"}
    for indicator in sheet:
        if indicator.metric and indicator.metric not in shares:
            raise SheetError(f"{path.name}: {indicator.code}: {indicator.metric} is no metric of unit share")
    versions: dict[str, list[Indicator]] = {}
    for indicator in sheet:
        versions.setdefault(indicator.code, []).append(indicator)
    for code, held in versions.items():
        ordered = sorted(held, key=lambda indicator: indicator.valid_from)
        for earlier, later in pairwise(ordered):
            if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
                raise SheetError(f"{path.name}: {code}: two versions hold on {later.valid_from}")
    return sheet


def apply(connection: psycopg.Connection, sheet: tuple[Indicator, ...]) -> None:
    """Replace what the database knows of the sheet. Idempotent."""
    names = {"code": "indicator_code", "label": "indicator_label", "metric": "metric_code"}
    rows = [
        {names.get(key, key): value for key, value in indicator.model_dump().items()}
        | {"ordinal": ordinal, "feeds": list(indicator.feeds) or None}
        for ordinal, indicator in enumerate(sheet, 1)
    ]
    with connection.transaction():
        replace_rows(connection, "appraisal_indicator", ["indicator_code", "valid_from"], rows)
