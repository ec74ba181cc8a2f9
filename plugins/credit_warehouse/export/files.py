"""Rows into files, a few thousand at a time."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from credit_warehouse.dictionary import Column, Mart
from credit_warehouse.feedback.cells import guarded

ROWS_AT_ONCE = 5_000
_SEPARATOR = "；"
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_TYPES = {
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "Asia/Shanghai"),
    "numeric": pa.float64(),
    "double precision": pa.float64(),
}
"""Everything else is text. A numeric without a scale is a rate or a count: a float holds both."""


def write_csv(path: Path, mart: Mart, rows: psycopg.ServerCursor) -> int:
    """Write CSV in UTF-8 with its mark, as spreadsheets of Chinese systems want it; no text of it is ever a formula.
    Returns the rows."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(column.name for column in mart.columns)
        for batch in _batches(rows):
            out.writerows([_cell(value) for value in row] for row in batch)
            count += len(batch)
    return count


def write_parquet(path: Path, mart: Mart, rows: psycopg.ServerCursor) -> int:
    """Write Parquet whose fields carry their Chinese label and meaning. Returns the rows."""
    schema = pa.schema([_field(column) for column in mart.columns])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for batch in _batches(rows):
            columns = [
                pa.array([_value(value, field.type) for value in values], field.type)
                for values, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            out.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(batch)
    return count


def _batches(rows: psycopg.ServerCursor) -> Iterator[list[tuple[Any, ...]]]:
    while batch := rows.fetchmany(ROWS_AT_ONCE):
        yield batch


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | Decimal | date | datetime | UUID):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return guarded(_SEPARATOR.join(map(str, value)))
    return guarded(_text(value))


def _field(column: Column) -> pa.Field:
    about = {"label": column.label, "meaning": column.meaning}
    return pa.field(column.name, _arrow_type(column.type), metadata=about)


def _arrow_type(name: str) -> pa.DataType:
    if name.endswith("[]"):
        return pa.list_(_arrow_type(name.removesuffix("[]")))
    scaled = _NUMERIC.fullmatch(name)
    return pa.decimal128(int(scaled[1]), int(scaled[2])) if scaled else _TYPES.get(name, pa.string())


def _value(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, Decimal) and pa.types.is_floating(kind):
        return float(value)
    return _text(value) if pa.types.is_string(kind) and value is not None else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
