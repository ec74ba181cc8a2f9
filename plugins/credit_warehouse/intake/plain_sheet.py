"""Whether a workbook is plain enough for the fast reader: then it and the slow one read the same texts.

The fast reader (calamine) shows the results of formulas and not the formulas, rounds long numbers, knows dates by other
rules, holds the whole sheet, and makes room for every cell up to the farthest. A workbook that could make the two differ,
or fill the memory, is read slowly.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

_CHUNK = 1 << 20
_OVERLAP = 128
"""No telling piece of XML is longer."""

_FAST_BYTES = 64 << 20
"""Unpacked XML the fast reader may hold in memory; a larger workbook is streamed."""

_MAX_ROWS = 80_000
"""It makes room for every cell of the rectangle: with columns to AZ some 130 MB."""

_TELLING = (
    *(
        b't="e"',
        b't="d"',
        b"='",
        b' ="',
        b'= "',
    ),  # errors, ISO dates, spellings under which these would be missed
    *(b"<rPh", b"<r>", b"&#", b"<!"),  # phonetic readings, runs, escapes, comments
    *(b" </t>", b"\n</t>", b"\t</t>", b"xml:space"),  # blanks at the edge of a text
)
_TELLING_SHAPES = tuple(
    map(
        re.compile,
        (
            rb"<f[\s/>]",  # a formula
            rb"<v>-?[0-9]{16}",  # a whole number of more digits than a float holds
            rb'r="(?:[B-Z][A-Z]|[A-Z]{3})',  # a cell beyond column AZ
            rb'xmlns:\w+="[^"]*/main"',  # elements with a prefix
            rb"_x[0-9A-Fa-f]{4}_",
            rb"<t>\s",
        ),
    )
)
_ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
_READ = re.compile(r"xl/(worksheets/[^/]+|sharedStrings|styles)\.xml")
_HARMLESS = re.compile(r"(?!xl/).*|xl/workbook\.xml|xl/(_rels|theme|worksheets/_rels|printerSettings)/.*")
_STYLES = re.compile(rb"<cellXfs\b.*?</cellXfs>", re.DOTALL)
_STYLE_FORMAT = re.compile(rb'numFmtId="(\d+)"')
_OWN_FORMAT = re.compile(rb'<numFmt\b(?=[^>]*\bnumFmtId="(\d+)")(?=[^>]*\bformatCode="([^"]*)")')


def is_plain(path: Path) -> bool:
    """Whether both readers read the same; every doubt says no.

    Raises:
        zipfile.BadZipFile, OSError, zlib.error: the archive is broken.
    """
    with zipfile.ZipFile(path) as archive:
        parts = [part for part in archive.infolist() if not _HARMLESS.fullmatch(part.filename)]
        sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
        if len(sheets) != 1 or sum(part.file_size for part in parts) > _FAST_BYTES:
            return False
        return all(_READ.fullmatch(part.filename) and _is_plain_part(archive, part) for part in parts)


def _is_plain_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    if part.filename == "xl/styles.xml":
        return _has_no_date(archive.read(part))
    rows, tail = 0, b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            text = tail + chunk
            if _tells(text):
                return False
            for row in _ROW.finditer(text):
                if row.end() <= len(tail):
                    continue  # counted with the chunk before
                rows += 1
                # Left out, repeated or out of order: the readers may disagree where such rows stand.
                if int(row[1]) != rows or rows > _MAX_ROWS:
                    return False
            tail = text[-_OVERLAP:]
    return True


def _tells(text: bytes) -> bool:
    return (
        any(piece in text for piece in _TELLING)
        or any(shape.search(text) for shape in _TELLING_SHAPES)
        # After the XML declaration a carriage return is usual, inside a text the readers may disagree.
        or text.count(b"\r") > text.count(b"?>\r")
    )


def _has_no_date(styles: bytes) -> bool:
    used = {int(number) for part in _STYLES.findall(styles) for number in _STYLE_FORMAT.findall(part)}
    if not used or b"='" in styles:
        return False
    own = {int(number): code.decode() for number, code in _OWN_FORMAT.findall(styles)}
    return not any(is_date_format(own.get(number, BUILTIN_FORMATS.get(number, "yyyy"))) for number in used)
