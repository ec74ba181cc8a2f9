"""The fast reader of plain workbooks and the slow one of all others give the same rows."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.intake import workbook
from credit_warehouse.intake.plain_sheet import is_plain

LIMIT = 1 << 28
PLAIN: tuple[Any, ...] = (
    None, "", "甲", "a&b<c>", "1", "0012", 'x"y', "a\nb", 0, 1, -3, 1.5, 0.1, 5.123456, 1e-7, 1e20, 0.1 + 0.2, 1 / 3, 123456789012345,
    True, False, "示例市虚构区市场监督管理局", "— —", "2026/02/11", "=" , "𠮷",
)  # fmt: skip
STRANGE: tuple[Any, ...] = (
    "=A1*2", datetime(2026, 3, 2, 17, 35), date(2026, 3, 2), time(8, 30), " x", "x ", "#N/A", "_x000D_",
)  # fmt: skip


def both(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, str]:
    """The workbook's CSV as it is read, and as the slow reader reads it; for a refusal its code."""
    results = []
    for fast in (is_plain, lambda _: False):
        monkeypatch.setattr(workbook, "is_plain", fast)
        target = tmp_path / "out.csv"
        try:
            workbook.workbook_to_csv(path, target, LIMIT)
            results.append(target.read_text(encoding="utf-8"))
        except DeliveryRefused as refusal:
            results.append(refusal.code)
    return results[0], results[1]


def book(path: Path, rows: list[list[Any]]) -> Path:
    made = Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    made.save(path)
    return path


def test_plain_workbooks_are_read_fast_and_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    rows = [[f"c{n}" for n in range(9)], *([chance.choice(PLAIN) for _ in range(9)] for _ in range(400))]
    path = book(tmp_path / "a.xlsx", [["c", "d"], ["x", 1]])
    assert is_plain(path), "else nothing is compared"
    path = book(tmp_path / "b.xlsx", [row if any(row) else ["x"] for row in rows])
    assert is_plain(path)
    fast, slow = both(path, monkeypatch, tmp_path)
    assert fast == slow and fast.count("\n") > 400


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_what_the_readers_may_read_differently_is_read_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    path = book(tmp_path / "a.xlsx", [["c", "d"], ["x", "y"], ["x", value]])
    assert not is_plain(path)
    fast, slow = both(path, monkeypatch, tmp_path)
    assert fast == slow


@pytest.mark.parametrize(
    "cell",
    [
        "<v>441399198304131040</v>",
        "<f>1+1</f><v>2</v>",
        "<f\n>1+1</f><v>2</v>",
        "<x:f xmlns:x='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>1+1</x:f><v>2</v>",
        '<x:f xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">1+1</x:f><v>2</v>',
    ],
)
def test_cells_openpyxl_does_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    path = book(tmp_path / "a.xlsx", [["c", "d"], ["x", 77]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<v>77</v>" in parts[sheet]
    parts[sheet] = parts[sheet].replace(b"<v>77</v>", cell.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert not is_plain(path)
    fast, slow = both(path, monkeypatch, tmp_path)
    assert fast == slow and ("441399198304131040" in fast or "=1+1" in fast)


def _far(made: Workbook) -> None:
    made.worksheets[0]["ZZ3"] = "far"


def _below(made: Workbook) -> None:
    made.worksheets[0]["A900"] = "far"


def _second(made: Workbook) -> None:
    made.create_sheet("2")["A1"] = "=1"


@pytest.mark.parametrize("change", [_far, _below, _second])
def test_a_sheet_that_is_no_simple_rectangle_is_read_slowly(tmp_path: Path, change: Callable) -> None:
    made = Workbook()
    made.worksheets[0].append(["c", "d"])
    change(made)
    made.save(tmp_path / "a.xlsx")
    assert not is_plain(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    "empty", [[[], ["c", "d"], ["x", "y"]], [[None, "d"], ["x", "y"]], [["c", None, "d"], ["x"]], []]
)
def test_a_header_out_of_place_is_refused_by_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: list[list[Any]]
) -> None:
    fast, slow = both(book(tmp_path / "a.xlsx", empty), monkeypatch, tmp_path)
    assert fast == slow and fast in ("bad_header", "empty_file")
