"""Numbers the gates use that no contract holds: rows of ``ops.gate_parameter``, each with source and validity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import psycopg

ANY_SCOPE = "*"


class ParameterMissing(LookupError):
    """A gate needs a number that no live row gives; the message says which row to enter."""


@dataclass(frozen=True)
class Parameter:
    """One live number. ``unit`` is share (0 to 1), rows or days; ``source`` is who set it, by which document."""

    value: float
    unit: str
    source: str


class Parameters:
    """The rows live on one business date; an exact scope wins over ``*``, the newest row over older ones."""

    def __init__(self, business_date: date, rows: Iterable[tuple[str, str, float, str, str]]) -> None:
        self._business_date = business_date
        self._live = {
            (name, scope): Parameter(value, unit, source) for name, scope, value, unit, source in rows
        }

    @classmethod
    def load(cls, connection: psycopg.Connection, business_date: date) -> Parameters:
        """Read the rows that hold on ``business_date``."""
        rows = connection.execute(
            "select name, scope, value::float8, unit, source from ops.gate_parameter"
            " where valid_from <= %(day)s and (valid_to is null or %(day)s <= valid_to) order by valid_from",
            {"day": business_date},
        ).fetchall()
        return cls(business_date, rows)

    def get(self, name: str, scope: str = ANY_SCOPE) -> Parameter:
        """The number called ``name`` for ``scope`` (a mart or a feed).

        Raises:
            ParameterMissing: no row is live.
        """
        found = self._live.get((name, scope)) or self._live.get((name, ANY_SCOPE))
        if found is None:
            raise ParameterMissing(
                f"检查参数 {name}（{scope}）在 {self._business_date} 没有有效值，请在 ops.gate_parameter 中登记"
            )
        return found


def set_parameter(
    connection: psycopg.Connection,
    name: str,
    value: float,
    unit: str,
    source: str,
    valid_from: date,
    valid_to: date | None = None,
    scope: str = ANY_SCOPE,
) -> None:
    """Enter a number for a time; entered again for the same first day it replaces itself. Older rows stay as they were."""
    connection.execute(
        "insert into ops.gate_parameter (name, scope, value, unit, source, valid_from, valid_to)"
        " values (%s, %s, %s, %s, %s, %s, %s) on conflict (name, scope, valid_from) do update"
        " set value = excluded.value, unit = excluded.unit, source = excluded.source, valid_to = excluded.valid_to",
        [name, scope, value, unit, source, valid_from, valid_to],
    )
