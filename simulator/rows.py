"""One delivered row: the department's record, the spellings planted over it, and the rules it breaks by design."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from simulator.schema import Feed, Kind, Record

NULL_SPELLINGS = ("— —", "无", "/")
"""What clerks type for nothing (DOMAIN.md §3.1)."""


class RowKind(StrEnum):
    """Why the row is in the delivery."""

    NEW = "new"
    FIX = "fix"
    """A row rejected on an earlier night, now right."""
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    RESENT = "resent"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one field; ``field`` is empty for a group (one_of) and for duplicate_key."""

    rule: str
    field: str = ""


@dataclass(slots=True)
class Row:
    """A row as delivered.

    ``raw`` overrides the spelling of single fields (None = left blank); ``stamp`` is when the department's own
    system last wrote the row, also where the delivered ``updated_at`` is spoilt.
    """

    record: Record
    kind: RowKind
    stamp: datetime
    raw: dict[str, str | None] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    masked: bool = False

    def cells(self, feed: Feed) -> list[str | None]:
        """Every column as text in contract order, None where blank."""
        raw, record = self.raw, self.record
        return [raw[f.name] if f.name in raw else f.spell(record[f.name]) for f in feed.fields]

    def item(self, feed: Feed) -> dict[str, Any]:
        """The row as a JSON object: numbers as numbers, dates and codes as strings, blanks as null."""
        return {
            f.name: self.raw[f.name] if f.name in self.raw else _json(f.kind, self.record[f.name], f)
            for f in feed.fields
        }


def _json(kind: Kind, value: Any, field_: Any) -> Any:
    if value is None or kind is Kind.INTEGER:
        return value
    if kind is Kind.AMOUNT:
        return float(value)
    if isinstance(value, date):
        return field_.spell(value)
    return value
