"""The package as a workbook: 说明, 汇总, one sheet per feed (more where a sheet is full). Every cell is text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter

from credit_warehouse.feedback import layout
from credit_warehouse.feedback.cells import cell
from credit_warehouse.feedback.content import Count, Heading, Returned

SHEET_ROWS = 1_000_000
"""Lines of a sheet under its heading; Excel's limit is 1,048,576."""

_TEXT_FORMAT = "@"
_LIKE_AN_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
_SHEET_NAME = 31
_WIDTHS = {
    "行号": 8,
    "批次": 8,
    "错误码": 10,
    "报送日期": 12,
    "规则": 24,
    "问题": 44,
    "处理建议": 40,
    "报送值": 28,
}
_WIDTH = 18
# Zip has no year before 1980; the same content is to be the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_CLOCK = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


class WorkbookWriter:
    """Takes the rows of a package feed by feed; ``close`` leaves the file at ``path``. Rows are on disk, not in memory."""

    def __init__(
        self, path: Path, heading: Heading, counts: Iterable[Count], sheet_rows: int = SHEET_ROWS
    ) -> None:
        self._path = path
        self._sheet_rows = sheet_rows
        self._book = Workbook(write_only=True)
        for style in _styles():
            self._book.add_named_style(style)
        self._names: set[str] = set()
        self._feed: str | None = None
        self._begin("说明", ("项目", "内容"), {"项目": 20, "内容": 90})
        for note in layout.notes(heading):
            self._line(note)
        self._begin("汇总", layout.COUNT_COLUMNS, _WIDTHS | {"数据集": 30})
        for count in counts:
            self._line(layout.count_values(count))

    def add(self, row: Returned) -> None:
        """One returned row, a line per error."""
        for error in layout.errors(row):
            if self._feed != row.feed or self._lines == self._sheet_rows:
                self._feed = row.feed
                columns = (*layout.ERROR_COLUMNS, *layout.row_columns(row.feed))
                self._begin(row.feed_label, columns, _WIDTHS)
            self._line((*error, *layout.row_values(row)))

    def close(self) -> None:
        """Write the file."""
        self._end()
        loose = self._path.with_suffix(".loose")
        self._book.save(loose)
        _without_clock(loose, self._path)
        loose.unlink()

    def _begin(self, name: str, columns: Iterable[str], widths: dict[str, int]) -> None:
        if self._names:
            self._end()
        self._sheet = self._book.create_sheet(self._free_name(name))
        self._sheet.freeze_panes = "A2"
        self._columns = list(columns)
        for number, column in enumerate(self._columns, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = widths.get(column, _WIDTH)
        self._lines = 0
        self._sheet.append(self._cells(self._columns, "标题"))

    def _end(self) -> None:
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._columns))}{self._lines + 1}"

    def _line(self, values: Iterable[object]) -> None:
        self._sheet.append(self._cells(values, "文本"))
        self._lines += 1

    def _cells(self, values: Iterable[object], style: str) -> Iterator[Cell | None]:
        one = WriteOnlyCell(self._sheet)
        one.style = style
        for value in values:
            if value is None:
                yield None
                continue
            # Excel reads _x003D_ as a character.
            one.value = _LIKE_AN_ESCAPE.sub("_x005F_", cell(value))
            # Whatever the setter took it for: #N/A is text, too.
            one.data_type = "s"
            yield one

    def _free_name(self, wanted: str) -> str:
        base = _NOT_IN_A_SHEET_NAME.sub(" ", wanted).strip()[:_SHEET_NAME] or "数据集"
        name, number = base, 1
        while name.casefold() in self._names:
            number += 1
            tail = f"({number})"
            name = base[: _SHEET_NAME - len(tail)] + tail
        self._names.add(name.casefold())
        return name


def _styles() -> tuple[NamedStyle, NamedStyle]:
    title = NamedStyle("标题", font=Font(bold=True, color="FFFFFF"), number_format=_TEXT_FORMAT)
    title.fill = PatternFill("solid", fgColor="1F4E79")
    title.alignment = Alignment(vertical="center", wrap_text=True)
    text = NamedStyle("文本", number_format=_TEXT_FORMAT)
    text.alignment = Alignment(vertical="top", wrap_text=True)
    return title, text


def _without_clock(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as loose, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in sorted(loose.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with loose.open(name) as file, fixed.open(entry, "w", force_zip64=True) as out:
                if name == "docProps/core.xml":
                    out.write(_CLOCK.sub(rb"\g<1>2000-01-01T00:00:00Z", file.read()))
                    continue
                while block := file.read(1 << 20):
                    out.write(block)
