"""Whatever a department delivered: no spreadsheet calculates it, every cell comes back, JSON holds it exactly."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from credit_warehouse.contracts import load_contracts
from credit_warehouse.feedback.cells import MAX_LENGTH
from credit_warehouse.feedback.content import Count, Heading, Returned
from credit_warehouse.feedback.texts import CsvWriter, JsonWriter, read_rows
from credit_warehouse.feedback.workbook import WorkbookWriter

FEED = load_contracts()["tax.tax_arrears"]
HEADING = Heading(
    1, "FB-tax-20260302-01", "tax", "tax", "国家税务总局惠州市税务局", date(2026, 3, 2), 1, 1, 1, 0
)
STARTS = "=+-@\t\r|%＝＋－＠"
ATTACKS = (
    "=1+1",
    "+1",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\r\n=1",
    " =1",
    "　＝1",
    "﻿=1",
    "\u200b=1",
    "=cmd|' /C calc'!A0",
    "=DDE(\"cmd\";\"/C calc\";\"1\")",
    "'=1",
    "_x003D_1+1",
    "#N/A",
    "TRUE",
    "=HYPERLINK(\"http://x\";\"点\")",
    "\x00\x07=1",
    "\u202e=1",
    '";=1',
    "甲\x0b乙\x85丙",
)  # fmt: skip
texts = st.lists(
    st.one_of(
        st.sampled_from(ATTACKS),
        st.builds(str.__add__, st.sampled_from([*STARTS, "'", " =", "\x01"]), st.text(max_size=30)),
        st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=60),
    ),
    min_size=1,
    max_size=12,
)


def returned(values: Iterable[str | None], feed: str = FEED.feed) -> list[Returned]:
    """One row per value, which stands as the delivered value and in the whole row."""
    header = FEED.field("taxpayer_name").header
    return [
        Returned(
            feed,
            FEED.label,
            7,
            date(2026, 3, 2),
            number,
            {header: value, "line": value},
            [
                {
                    "rule": "enum",
                    "field": "taxpayer_name",
                    "label": value or "纳税人名称",
                    "value": value,
                    "message": f"第{number}行",
                    "suggestion": "请更正",
                    "error_code": 30003,
                }
            ],
        )
        for number, value in enumerate(values, 1)
    ]


def write(folder: Path, rows: list[Returned], **options: Any) -> tuple[Path, Path, Path]:
    counts = [
        Count(FEED.feed, FEED.label, 30003, "enum", rows[0].violations[0]["label"], len(rows), "请更正")
    ]
    paths = folder / "a.xlsx", folder / "a.csv", folder / "a.json"
    writers = (
        WorkbookWriter(paths[0], HEADING, counts, **options),
        CsvWriter(paths[1]),
        JsonWriter(paths[2], HEADING, counts),
    )
    for writer in writers:
        for row in rows:
            writer.add(row)
        writer.close()
    return paths


def shown(text: str) -> str:
    """The text as a person should see it: what has no shape by its number."""
    odd = {0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFFE, 0xFFFF}
    return "".join(
        f"<U+{ord(c):04X}>"
        if (ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 or ord(c) in odd
        else c
        for c in text.replace("\r\n", "\n")
    )


def assert_safe(cell: str) -> None:
    assert cell.lstrip(" \n\t\u3000\ufeff\u200b\u00a0")[:1] not in tuple(STARTS), cell
    assert not cell.startswith(("\t", "\n", "\r"))


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = load_workbook(path)
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.value is None or (cell.data_type == "s" and isinstance(cell.value, str)), (
                    cell.value
                )
    return {sheet.title: [[_read(cell) for cell in line] for line in sheet.values] for sheet in book}


def _read(text: str | None) -> str | None:
    """As Excel reads it."""
    return text and re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def without_guard(text: str) -> str:
    return text.removeprefix("'")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=texts)
@example(values=list(ATTACKS))
def test_nothing_is_calculated_and_every_cell_comes_back(tmp_path: Path, values: list[str]) -> None:
    book, table, document = write(tmp_path, returned(values))
    with zipfile.ZipFile(book) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)
    found = sheets(book)
    lines = found[FEED.label]
    columns = lines[0]
    for line in [cell for sheet in found.values() for row in sheet for cell in row if cell]:
        assert_safe(line)
    for name in ("报送值", "数据项" if all(values) else "报送值", "整行原文"):
        read = [line[columns.index(name)] or "" for line in lines[1:]]
        assert [without_guard(cell) for cell in read] == [shown(value) for value in values]

    content = table.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    records = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for line in (cell for record in records for cell in record):
        assert_safe(line)
    place = records[0].index("报送值")
    assert [without_guard(record[place]) for record in records[1:]] == [shown(value) for value in values]

    told = json.loads(document.read_text(encoding="utf-8"))
    assert [row["violations"][0]["value"] for row in told["rows"]] == values
    assert list(read_rows(document)) == told["rows"]


def test_what_no_cell_holds_is_cut_and_says_so(tmp_path: Path) -> None:
    long = "=" + "长" * 40_000
    book, table, document = write(tmp_path, returned([long]))
    line = dict(zip(*sheets(book)[FEED.label], strict=True))
    assert len(line["报送值"]) == MAX_LENGTH
    assert line["报送值"].startswith("'=长") and line["报送值"].endswith("（共 40002 字，全文见 JSON 文件）")
    csv.field_size_limit(1 << 20)
    assert len(list(csv.reader(table.open(encoding="utf-8-sig", newline="")))[1][8]) == MAX_LENGTH
    assert json.loads(document.read_text(encoding="utf-8"))["rows"][0]["payload"]["line"] == long


def test_a_full_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    book, _, _ = write(tmp_path, returned([str(number) for number in range(7)]), sheet_rows=3)
    found = sheets(book)
    assert list(found) == ["说明", "汇总", FEED.label, f"{FEED.label}(2)", f"{FEED.label}(3)"]
    parts = [lines for title, lines in found.items() if title.startswith(FEED.label)]
    assert [len(lines) - 1 for lines in parts] == [3, 3, 1]
    assert [line[2] for lines in parts for line in lines[1:]] == [str(number) for number in range(1, 8)]
    assert {tuple(lines[0]) for lines in parts} == {tuple(parts[0][0])}


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written.append([path.read_bytes() for path in write(tmp_path / name, returned(["甲", None]))])
    assert written[0] == written[1]
