"""Numbers of the matching models: rows of ``ops.match_parameter``, each with source and validity."""

from __future__ import annotations

from datetime import date

import psycopg


class Parameters:
    """The numbers of one model live on one business date; of several live rows the newest holds."""

    def __init__(self, model: str, business_date: date, rows: dict[str, float]) -> None:
        self._model = model
        self._business_date = business_date
        self._rows = rows

    @classmethod
    def load(cls, connection: psycopg.Connection, model: str, business_date: date) -> Parameters:
        """Read the rows that hold on ``business_date``."""
        rows = connection.execute(
            "select name, value::float8 from ops.match_parameter where model = %(model)s and valid_from <= %(day)s"
            " and (valid_to is null or %(day)s <= valid_to) order by valid_from",
            {"model": model, "day": business_date},
        ).fetchall()
        return cls(model, business_date, dict(rows))

    def __getitem__(self, name: str) -> float:
        """The number called ``name``.

        Raises:
            LookupError: no row is live; the message says which to enter.
        """
        try:
            return self._rows[name]
        except KeyError:
            raise LookupError(
                f"匹配参数 {name}（{self._model}）在 {self._business_date} 没有有效值，请在 ops.match_parameter 中登记"
            ) from None
