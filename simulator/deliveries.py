"""Writes one file delivery as its department does, well-made or with one fault.

Files appear whole under their final name (written beside, then renamed), a sidecar after its file. Bytes depend only
on the rows: archive members carry the business date as their time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook

from simulator.faults import FaultKind
from simulator.rows import Row
from simulator.schema import Feed, Kind, Medium

Cells = list[str | None]

FOLDERS = {"court": "outbox", "market_regulation": "drop", "data_administration": "registers"}
"""Where an SFTP source puts its nightly folders."""
ENCODINGS = {Medium.ZIPPED_CSV: "gb18030", Medium.CSV: "utf-8-sig"}
EXTENSIONS = {Medium.ZIPPED_CSV: "zip", Medium.CSV: "csv", Medium.WORKBOOK: "xlsx"}
BOMB_BYTES = 300_000_000
"""What the zip bomb unpacks to by default; a few hundred kB packed."""


@dataclass(frozen=True)
class Table:
    """Header and rows on their way into a file."""

    header: list[str]
    rows: Iterable[Cells]


def file_name(feed: Feed, day: date) -> str:
    """Name of the delivery file of a night."""
    return f"{feed.id}_{day:%Y%m%d}.{EXTENSIONS[feed.medium]}"


def write_delivery(
    feed: Feed, day: date, rows: Iterable[Row], folder: Path, fault: FaultKind | None = None
) -> Path | None:
    """Write the delivery of ``feed`` for ``day`` into ``folder``; returns its path, None if not delivered.

    Rows are consumed to the end whatever the fault.
    """
    path = folder / file_name(feed, day)
    folder.mkdir(parents=True, exist_ok=True)
    cells = (row.cells(feed) for row in rows)
    table = _reshaped(feed, Table([f.header for f in feed.fields], cells), fault)
    partial = path.with_name(f".{path.name}.partial")
    if feed.medium is Medium.ZIPPED_CSV:
        _write_zip(feed, day, table, partial, fault)
    elif feed.medium is Medium.CSV:
        _write_csv(feed, table, partial, fault)
    else:
        _write_workbook(feed, day, table, partial, fault)
    for _ in cells:
        pass
    if fault is FaultKind.NOT_DELIVERED:
        partial.unlink()
        return None
    digest = _sha256(partial)
    if fault is FaultKind.TRUNCATED:
        _truncate(partial)
    partial.replace(path)
    if feed.medium is not Medium.ZIPPED_CSV and fault is not FaultKind.MISSING_MANIFEST:
        _write_sidecar(path, _wrong(digest) if fault is FaultKind.WRONG_CHECKSUM else digest)
    return path


def _reshaped(feed: Feed, table: Table, fault: FaultKind | None) -> Table:
    """The table after a fault of its columns or of its number of rows."""
    header, rows = table.header, table.rows
    names = [f.name for f in feed.fields]
    required = next(i for i, f in enumerate(feed.fields) if f.required and f.name not in feed.key and i > 0)
    match fault:
        case FaultKind.RENAMED_COLUMN:
            renamed = list(header)
            renamed[required] = f"{header[required]}_1"
            return Table(renamed, rows)
        case FaultKind.EXTRA_COLUMN:
            return Table([*header, "BYZD1"], ([*cells, "备用"] for cells in rows))
        case FaultKind.MISSING_COLUMN:
            return _without(required, table)
        case FaultKind.MISSING_OPTIONAL_COLUMN:
            optional = [f.name for f in feed.fields if not f.required and not f.required_when]
            return _without(names.index(optional[-1]), table)
        case FaultKind.REORDERED_COLUMNS:
            return Table(header[::-1], (cells[::-1] for cells in rows))
        case FaultKind.HEADER_ONLY:
            return Table(header, [])
        case FaultKind.ONE_ROW:
            return Table(header, _first(rows))
    return table


def _first(rows: Iterable[Cells]) -> Iterator[Cells]:
    for cells in rows:
        yield cells
        return


def _without(index: int, table: Table) -> Table:
    return Table(
        table.header[:index] + table.header[index + 1 :],
        (cells[:index] + cells[index + 1 :] for cells in table.rows),
    )


def _encoding(feed: Feed, fault: FaultKind | None) -> str:
    due = ENCODINGS[feed.medium]
    if fault is FaultKind.WRONG_ENCODING_UTF16:
        return "utf-16"
    if fault is FaultKind.WRONG_ENCODING_UTF8:
        return "utf-8" if due == "gb18030" else "gb18030"
    return due


def _write_text(table: Table, path: Path, encoding: str) -> int:
    """CSV with comma and CRLF; returns the number of data rows."""
    count = 0
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(table.header)
        for cells in table.rows:
            writer.writerow(["" if cell is None else cell for cell in cells])
            count += 1
    return count


def _write_csv(feed: Feed, table: Table, path: Path, fault: FaultKind | None) -> None:
    _write_text(table, path, _encoding(feed, fault))
    if fault is FaultKind.EMPTY_FILE:
        path.write_bytes(b"")


def _write_zip(feed: Feed, day: date, table: Table, path: Path, fault: FaultKind | None) -> None:
    name = f"{feed.name}.csv"
    text = path.with_suffix(".csv")
    count = _write_text(table, text, _encoding(feed, fault))
    if fault is FaultKind.EMPTY_FILE:
        text.write_bytes(b"")
    digest = _sha256(text)
    manifest = {
        "feed": feed.id,
        "business_date": day.isoformat(),
        "files": [
            {
                "name": name,
                "rows": count + 7 if fault is FaultKind.ROW_COUNT_MISMATCH else count,
                "sha256": _wrong(digest) if fault is FaultKind.WRONG_CHECKSUM else digest,
            }
        ],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if fault is FaultKind.ZIP_BOMB:
            _write_bomb(archive, name, day)
        else:
            with archive.open(_member(name, day), "w") as member, text.open("rb") as source:
                while block := source.read(1 << 20):
                    member.write(block)
        if fault is not FaultKind.MISSING_MANIFEST:
            archive.writestr(
                _member("manifest.json", day), json.dumps(manifest, ensure_ascii=False, indent=1)
            )
    text.unlink()


def _write_workbook(feed: Feed, day: date, table: Table, path: Path, fault: FaultKind | None) -> None:
    if fault is FaultKind.EMPTY_FILE:
        path.write_bytes(b"")
        return
    book = Workbook(write_only=fault is not FaultKind.MERGED_HEADERS)
    sheet = book.create_sheet("数据")
    if fault is FaultKind.MERGED_HEADERS:
        book.remove(book.worksheets[0])
        sheet.append([f"{feed.title}信息公示表"])
        sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(table.header))
    sheet.append(table.header)
    columns = {header: index for index, header in enumerate(table.header)}
    typed = [(columns[f.header], f.kind) for f in feed.fields if f.header in columns]
    for number, cells in enumerate(table.rows):
        values: list[object] = list(cells)
        for index, kind in typed:
            values[index] = _typed(kind, cells[index], number)
        if fault is FaultKind.FORMULAS and number % 10 == 0:
            values[1] = f'=A{number + 2}&""'
        sheet.append(values)
    plain = path.with_suffix(".plain")
    book.save(plain)
    _repack(plain, path, day, bomb=fault is FaultKind.ZIP_BOMB)
    plain.unlink()


def _typed(kind: Kind, cell: str | None, number: int) -> object:
    """Text, as most clerks leave it; every second amount is a real number cell, every fifth date a real date."""
    if cell is None:
        return None
    if kind is Kind.AMOUNT and number % 2 == 0:
        try:
            return float(cell)
        except ValueError:
            return cell
    if kind is Kind.DATE and number % 5 == 0:
        try:
            return datetime.strptime(cell, "%Y-%m-%d")
        except ValueError:
            return cell
    return cell


_CORE_PROPERTIES = (
    '<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties '
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>simulator</dc:creator></cp:coreProperties>'
)


def _repack(source: Path, target: Path, day: date, bomb: bool) -> None:
    """The same workbook without the wall-clock times openpyxl leaves in it; optionally with a bomb for its sheet."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name == "docProps/core.xml":
                new.writestr(_member(name, day), _CORE_PROPERTIES)
            elif bomb and name == "xl/worksheets/sheet1.xml":
                _write_bomb(new, name, day)
            else:
                with old.open(name) as member, new.open(_member(name, day), "w") as copy:
                    while block := member.read(1 << 20):
                        copy.write(block)


def _write_bomb(archive: zipfile.ZipFile, name: str, day: date) -> None:
    block = b" " * 1_000_000
    with archive.open(_member(name, day), "w", force_zip64=True) as member:
        for _ in range(BOMB_BYTES // len(block)):
            member.write(block)


def _member(name: str, day: date) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (day.year, day.month, day.day, 18, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _truncate(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size * 2 // 3)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wrong(digest: str) -> str:
    return digest[:-1] + ("0" if digest[-1] != "0" else "1")


def _write_sidecar(path: Path, digest: str) -> None:
    partial = path.with_name(f".{path.name}.sha256.partial")
    partial.write_text(f"{digest}  {path.name}\n", encoding="ascii")
    partial.replace(path.with_name(f"{path.name}.sha256"))
