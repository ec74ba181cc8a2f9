"""Exported files: what spreadsheets and pandas read is what the mart holds, and memory does not grow with the rows."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_warehouse.dictionary import Column, Mart
from credit_warehouse.export.files import write_csv, write_parquet

KEY = UUID("6f1ed002-ab5f-4a6e-9c1e-000000000000")
KINDS = {
    "key": "uuid", "name": "text", "lists": "text[]", "members": "bigint", "amount": "numeric(20,2)", "rate": "numeric",
    "is_listed": "boolean", "decided_on": "date", "updated_at": "timestamp without time zone",
}  # fmt: skip
MART = Mart(
    "example",
    "示例",
    "One row.",
    (),
    tuple(Column(name, kind, "名称", "Meaning.") for name, kind in KINDS.items()),
)
ROW = (
    KEY, "甲公司", ["a", "b"], -5, Decimal("-12.50"), Decimal("0.25"), True, date(2026, 3, 2), datetime(2026, 3, 2, 1, 2, 3),
)  # fmt: skip
Write = Callable[[Path, Mart, psycopg.ServerCursor], int]


class Rows:
    """A server's cursor: gives as many as it is asked for."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self.rows = rows

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        return list(islice(self.rows, size))


def write(how: Write, path: Path, rows: list[tuple[Any, ...]]) -> int:
    return how(path, MART, cast(psycopg.ServerCursor, Rows(iter(rows))))


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    empty = (KEY, *[None] * (len(KINDS) - 1))
    assert write(write_parquet, tmp_path / "a.parquet", [ROW, empty]) == 2
    table = pq.read_table(tmp_path / "a.parquet")
    first, second = table.to_pylist()
    assert first == dict(zip(KINDS, (str(KEY), *ROW[1:5], 0.25, *ROW[6:]), strict=True))
    assert {name for name, value in second.items() if value is not None} == {"key"}
    assert table.schema.field("rate").metadata == {b"label": "名称".encode(), b"meaning": b"Meaning."}

    assert write(write_csv, tmp_path / "a.csv", [ROW, empty]) == 2
    assert read_csv(tmp_path / "a.csv") == [
        list(KINDS),
        [str(KEY), "甲公司", "a；b", "-5", "-12.50", "0.25", "true", "2026-03-02", "2026-03-02 01:02:03"],
        [str(KEY), *[""] * (len(KINDS) - 1)],
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.sampled_from(["", "=", "+", "-", "@", "\t=", " =", "＝", "\ufeff=", "'="]))
def test_no_text_is_a_formula_and_every_row_stays_one(tmp_path: Path, text: str, start: str) -> None:
    row = (KEY, start + text, [start + text], *ROW[3:])
    write(write_csv, tmp_path / "a.csv", [row, ROW])
    _, found, after = read_csv(tmp_path / "a.csv")
    for cell in found[1:3]:
        assert cell.strip()[:1] not in tuple("=+-@|%＝＋－＠｜％") or cell.strip() == ""
    assert after[1] == "甲公司" and found[3] == "-5", "numbers stay numbers"


@pytest.mark.parametrize("how", [write_csv, write_parquet])
def test_memory_does_not_grow_with_the_rows(how: Write, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        how(tmp_path / "a", MART, cast(psycopg.ServerCursor, Rows(ROW for _ in range(rows))))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(60_000) < 1.5 * peak(15_000)
