"""The package as one CSV and as one JSON document, written row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from credit_warehouse.feedback import layout
from credit_warehouse.feedback.cells import cell
from credit_warehouse.feedback.content import Count, Heading, Returned


class CsvWriter:
    """UTF-8 with BOM, every field quoted, a line per error; the whole row as delivered in the last column."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self._writer.writerow(("数据集", *layout.ERROR_COLUMNS, "整行"))

    def add(self, row: Returned) -> None:
        """One returned row, a line per error."""
        whole = layout.whole_row(row)
        for error in layout.errors(row):
            self._writer.writerow(map(cell, (row.feed_label, *error, whole)))

    def close(self) -> None:
        self._file.close()


class JsonWriter:
    """For programs: the package, its counts, and every returned row once, with its errors, values exactly as delivered."""

    def __init__(self, path: Path, heading: Heading, counts: Iterable[Count]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        told = {name: value for name, value in asdict(heading).items() if name != "package_id"}
        self._file.write(
            f'{{"package": {_json(told)},\n"counts": {_json([asdict(count) for count in counts])},'
        )
        self._file.write('\n"rows": [')
        self._separator = "\n"

    def add(self, row: Returned) -> None:
        """One returned row."""
        self._file.write(self._separator + _json(asdict(row)))
        self._separator = ",\n"

    def close(self) -> None:
        self._file.write("\n]}\n")
        self._file.close()


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The returned rows of a document that :class:`JsonWriter` wrote, one at a time: each stands on its own line."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.startswith('"rows": ['):
                break
        for line in file:
            if line.startswith("{"):
                yield json.loads(line.rstrip().removesuffix(","))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
