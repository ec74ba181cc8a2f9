"""Numbers as a person writes them."""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """What a measured number counts."""

    ROWS = "行"
    COLUMNS = "列"
    DAYS = "天"
    BATCHES = "个批次"
    RECORDS = "条记录"
    SUBJECTS = "个主体"
    FEEDS = "个数据项"
    SHARE = "%"


def figure(value: float | None, unit: Unit) -> str:
    """``value`` with its unit; a share (0 to 1) as a percentage."""
    if value is None or value != value:
        return "无数据"
    number = value * 100 if unit is Unit.SHARE else value
    return f"{number:,.2f}".rstrip("0").rstrip(".") + f" {unit}"
