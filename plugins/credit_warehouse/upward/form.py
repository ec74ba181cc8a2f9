"""A record in the form it was delivered in: the contract's columns, codes and units, out of its accepted raw row."""

from __future__ import annotations

import csv
import tempfile
from datetime import date
from pathlib import Path

from psycopg import sql

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.contracts.model import FieldType
from credit_warehouse.intake.split import REJECTED_COLUMNS, split_delivery
from credit_warehouse.settings import Settings


def cells(contract: FeedContract) -> sql.Composed:
    """SQL array of the row's cells as text, in the contract's order; ``delivered`` is the raw row."""
    return sql.SQL("array[{}]").format(sql.SQL(", ").join(map(_cell, contract.fields)))


def _cell(field: Field) -> sql.Composable:
    column = sql.Identifier("delivered", field.name)
    if field.type is FieldType.NUMBER:
        # Two decimals of yuan are six of 万元: nothing is rounded on the way out.
        factor = sql.SQL(" / 10000") if field.terms.delivered_unit == "CNY_10K" else sql.SQL("")
        return sql.SQL("trim_scale({}{})::text").format(column, factor)
    if field.type is FieldType.DATE:
        return sql.SQL("to_char({}, 'YYYY-MM-DD')").format(column)
    if field.type is FieldType.TIMESTAMP:
        return sql.SQL("regexp_replace(to_char({}, 'YYYY-MM-DD HH24:MI:SS.US'), '[.]0+$', '')").format(column)
    return sql.SQL("{}::text").format(column)


def as_csv(contract: FeedContract) -> FeedContract:
    """The same contract for a CSV file in UTF-8 without a receipt: what a package holds."""
    delivery = contract.terms.delivery.model_copy(
        update={"format": "csv", "container": None, "receipt": None, "encoding": "utf-8"}
    )
    return contract.model_copy(update={"terms": contract.terms.model_copy(update={"delivery": delivery})})


def broken_rows(
    contract: FeedContract, file: Path, business_date: date, settings: Settings
) -> dict[int, str]:
    """Rows of a file made here that its own intake would send back today: row number (1 = first) → violations, JSON.

    Raises:
        DeliveryRefused: the file as a whole would be: a defect of ours.
    """
    with tempfile.TemporaryDirectory(prefix="upward-", dir=settings.scratch_dir) as folder:
        split = split_delivery(as_csv(contract), file, 0, business_date, Path(folder), settings)
        with split.rejected.open(encoding="utf-8", newline="") as rejected:
            rows = [dict(zip(REJECTED_COLUMNS, row, strict=True)) for row in csv.reader(rejected)]
    return {int(row["source_row"]): row["violations"] for row in rows}
