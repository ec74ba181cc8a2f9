"""Single deliveries written for a test: right ones, ones with chosen cells, and bad ones.

Every function returns the path of the file it wrote. Row counts and contents depend on nothing but the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path

from simulator.city import FIRST_NIGHT, City
from simulator.deliveries import FOLDERS, write_delivery
from simulator.faults import FaultKind
from simulator.feeds import FEEDS
from simulator.rows import Row, RowKind

DEBTORS = "court.dishonest_judgment_debtor"
PENALTIES = "market_regulation.administrative_penalty"
REGISTRATIONS = "market_regulation.enterprise_registration"

_CITY_SIZE = 2_000
"""Some 80 rows of every feed to hand out, and more of most."""


@cache
def _clean() -> dict[str, tuple[Row, ...]]:
    """Per feed, first deliveries of a city's first night that break no rule and name a known organisation or person."""
    city = City(enterprises=_CITY_SIZE, persons=_CITY_SIZE)
    found = {}
    for feed in FEEDS.values():
        made = city.deliver(feed, FIRST_NIGHT)
        kept = [row for row in made if not row.violations and row.kind is RowKind.NEW and not row.masked]
        distinct = {feed.natural_key(row.record): row for row in kept}
        found[feed.id] = tuple(Row(row.record, row.kind, row.stamp) for row in distinct.values())
    return found


def clean_rows(feed_id: str, count: int, changes: Sequence[Mapping[str, str | None]] = ()) -> list[Row]:
    """``count`` rows that break no rule, the first of them with the given cells written over (None = blank).

    Args:
        changes: one mapping of field name to delivered spelling per row, from the first row on.

    Raises:
        ValueError: more rows than the city behind this has.
    """
    rows = [Row(row.record, row.kind, row.stamp) for row in islice(_clean()[feed_id], count)]
    if len(rows) < count:
        raise ValueError(f"{feed_id}: only {len(rows)} rows to hand out, {count} wanted")
    for row, cells in zip(rows, changes, strict=False):
        row.raw = dict(cells)
    return rows


def make_delivery(
    folder: Path,
    feed_id: str,
    day: date = FIRST_NIGHT,
    *,
    rows: int = 100,
    changes: Sequence[Mapping[str, str | None]] = (),
    fault: FaultKind | None = None,
) -> Path:
    """A file delivery named for ``day``; right unless ``changes`` or ``fault`` say else."""
    return write_rows(folder, feed_id, day, clean_rows(feed_id, rows, changes), fault)


def write_rows(
    folder: Path, feed_id: str, day: date, rows: Iterable[Row], fault: FaultKind | None = None
) -> Path:
    """The given rows as a file delivery.

    Raises:
        ValueError: the feed is not delivered as a file, or the fault is that nothing is delivered.
    """
    feed = FEEDS[feed_id]
    if feed.source not in FOLDERS:
        raise ValueError(f"{feed_id} is not delivered as a file")
    path = write_delivery(feed, day, rows, folder, fault)
    if path is None:
        raise ValueError("not_delivered writes no file")
    return path


def make_truncated_zip(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """A zip whose last third never arrived."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.TRUNCATED)


def make_wrong_checksum(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """A manifest or sidecar that names another SHA-256."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.WRONG_CHECKSUM)


def make_row_count_mismatch(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """A manifest that declares seven rows more than the file holds."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.ROW_COUNT_MISMATCH)


def make_missing_manifest(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """A zip without its manifest, or a file without its sidecar."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.MISSING_MANIFEST)


def make_wrong_encoding(
    folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT, utf16: bool = False
) -> Path:
    """UTF-16, or UTF-8 where GB18030 is due (GB18030 where UTF-8 is due)."""
    fault = FaultKind.WRONG_ENCODING_UTF16 if utf16 else FaultKind.WRONG_ENCODING_UTF8
    return make_delivery(folder, feed_id, day, fault=fault)


def make_empty_file(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """No bytes (court: in the zipped CSV)."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.EMPTY_FILE)


def make_header_only(folder: Path, feed_id: str = DEBTORS, day: date = FIRST_NIGHT) -> Path:
    """A header and no row."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.HEADER_ONLY)


def make_one_row(folder: Path, feed_id: str = REGISTRATIONS, day: date = FIRST_NIGHT) -> Path:
    """One row where thousands are usual."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.ONE_ROW)


def make_merged_headers(folder: Path, feed_id: str = PENALTIES, day: date = FIRST_NIGHT) -> Path:
    """A workbook with a title merged across its first row, the header in the second."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.MERGED_HEADERS)


def make_formulas(folder: Path, feed_id: str = PENALTIES, day: date = FIRST_NIGHT) -> Path:
    """A workbook with a formula in the second column of every tenth row."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.FORMULAS)


def make_zip_bomb(folder: Path, feed_id: str = PENALTIES, day: date = FIRST_NIGHT) -> Path:
    """A workbook or zip of some hundred kB that unpacks to 300 MB."""
    return make_delivery(folder, feed_id, day, fault=FaultKind.ZIP_BOMB)
