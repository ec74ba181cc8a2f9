"""Templates of the pages, and figures in words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit_warehouse.bulletin import charts

POPULATIONS = {
    "population": "常住人口",
    "enterprise": "企业",
    "institution": "事业单位",
    "social_organisation": "社会组织",
    "professional_group": "重点人群",
}

templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def figure(value: dict[str, Any] | None, metric: dict[str, Any]) -> str:
    """A metric in words: the rate with its fraction; unknown where nobody could measure."""
    if value is None or not value["is_known"]:
        return "未知"
    if metric["unit"] != "share":
        return f"{value['numerator']:,.0f}" + {"workday": " 个工作日", "day": " 天"}.get(metric["unit"], "")
    if value["rate"] is None:
        return "无应计"
    return f"{100 * value['rate']:.2f}%" + ("*" if value["is_small"] else "")


def fraction(value: dict[str, Any] | None, metric: dict[str, Any]) -> str:
    """Numerator and denominator of a known share, else nothing."""
    if value is None or not value["is_known"] or metric["unit"] != "share":
        return ""
    return f"{value['numerator']:,.0f} ÷ {value['denominator']:,.0f}"


def percent(share: Decimal | None) -> str:
    """A share in per cent; unknown where there is none."""
    return "未知" if share is None else f"{100 * share:.2f}%"


templates.filters.update(percent=percent)
templates.globals.update(figure=figure, fraction=fraction, populations=POPULATIONS, size=charts)
