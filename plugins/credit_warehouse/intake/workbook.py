"""XLSX deliveries as CSV rows, streamed: the first sheet, its first row as header."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.intake.archive import check_archive
from credit_warehouse.intake.plain_sheet import is_plain
from credit_warehouse.troubles import raise_if_ours


def workbook_to_csv(path: Path, target: Path, limit_bytes: int) -> None:
    """Write the first sheet as UTF-8 CSV. Formulas stay formulas (``=A1*2``): a rule rejects their rows.

    Raises:
        DeliveryRefused: not a workbook, too large when unpacked, no sheet, or a header with merged or blank cells.
    """
    check_archive(path, limit_bytes)
    try:
        rows = _rows(path)
        header = next(rows, None)
        if header is None:
            raise DeliveryRefused(
                "empty_file", "工作簿没有内容，请核对后重新报送；无数据时请报送只含表头的零报告"
            )
        names = _header(header)
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            for row in rows:
                cells = [_text(cell) for cell in row]
                if any(cells):
                    writer.writerow(_fit(cells, len(names)))
    except DeliveryRefused:
        raise
    except Exception as error:  # openpyxl raises whatever the XML or the zip inside happens to raise
        raise_if_ours(error)
        raise DeliveryRefused(
            "broken_workbook", "工作簿无法读取，请用表格软件另存为 .xlsx 后重新报送"
        ) from error


def _rows(path: Path) -> Iterator[Sequence[Any]]:
    if is_plain(path):
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        # It leaves out what is empty before the first cell.
        if sheet.start == (0, 0):
            return iter(sheet.iter_rows())
    book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    slow = book.worksheets[0]
    # The sheet's own idea of its size may be wrong or a trap.
    slow.reset_dimensions()
    return iter(slow.iter_rows(values_only=True))


def _header(cells: Sequence[Any]) -> list[str]:
    names = [str(cell).strip() if cell is not None else "" for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names or "" in names or len(set(names)) != len(names):
        raise DeliveryRefused(
            "bad_header",
            "表头有合并、空白或重复的单元格，请使用约定模板：第一行每列一个数据项代码，不合并单元格",
        )
    return names


def _fit(cells: list[str], width: int) -> list[str]:
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells + [""] * (width - len(cells))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == time() else cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, float):
        return f"{cell:.10f}".rstrip("0")
    return str(cell)
