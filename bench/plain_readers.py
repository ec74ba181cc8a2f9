"""Readers that only read: ``python -m bench.plain_readers <reader> <file>`` touches every value of the file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path


def duckdb_json(path: Path) -> None:
    """JSON lines as columns, the types found out by DuckDB."""
    import duckdb

    duckdb.sql(f"create table plain as select * from read_ndjson('{path}')")


def json_lines(path: Path) -> None:
    """JSON lines as dictionaries, with the standard library."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def orjson_lines(path: Path) -> None:
    """JSON lines as dictionaries, with the fastest parser for Python."""
    import orjson

    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def calamine(path: Path) -> None:
    """The first sheet of a workbook, as lists."""
    from python_calamine import CalamineWorkbook

    for _ in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows():
        pass


def openpyxl(path: Path) -> None:
    """The first sheet of a workbook, streamed as tuples."""
    from openpyxl import load_workbook

    for _ in load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True):
        pass


READERS: dict[str, Callable[[Path], None]] = {
    "duckdb_json": duckdb_json,
    "json": json_lines,
    "orjson": orjson_lines,
    "calamine": calamine,
    "openpyxl": openpyxl,
}


if __name__ == "__main__":
    READERS[sys.argv[1]](Path(sys.argv[2]))
