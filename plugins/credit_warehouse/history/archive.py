"""Archives: row versions that no readable publication holds, in one Parquet file per mart, with a manifest.

Values are the text PostgreSQL writes, so that a cast gives back what was published, exactly; nulls stay nulls.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from credit_warehouse.history import stores

MANIFEST = "manifest.json"
_NULL = r"\N"


class ArchiveDamaged(Exception):
    """A file is missing or not the one that was written; the message names it and what to do."""


@dataclass(frozen=True)
class Gap:
    """Publications between two that stay: a version begun after ``low`` and closed up to ``high`` is in none that stays."""

    low: int
    high: int


@dataclass(frozen=True)
class ArchivedMart:
    """One file. ``first`` and ``last`` are the publications its versions span, both inclusive."""

    mart: str
    file: str
    rows: int
    bytes: int
    sha256: str
    columns: list[str]
    first: int
    last: int


@dataclass(frozen=True)
class Manifest:
    """What one archive holds. ``publications``: number → business date; ``rules`` as they stood."""

    as_of: str
    publications: dict[str, str]
    rules: list[dict[str, Any]]
    marts: list[ArchivedMart]

    @property
    def rows(self) -> int:
        return sum(mart.rows for mart in self.marts)

    @property
    def bytes(self) -> int:
        return sum(mart.bytes for mart in self.marts)


def write(
    connection: psycopg.Connection, folder: Path, as_of: date, due: dict[int, date], gaps: list[Gap]
) -> tuple[Manifest, str]:
    """Write the versions in ``gaps`` into ``folder``, which appears whole or not at all. Manifest and its SHA-256."""
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    marts = [
        found
        for store in stores.names(connection)
        if (found := _write_mart(connection, draft, store, gaps)) is not None
    ]
    rules = connection.execute(
        "select keep, months, source from ops.history_rule where valid_from <= %(day)s"
        " and (valid_to is null or valid_to >= %(day)s) order by keep",
        {"day": as_of},
    ).fetchall()
    manifest = Manifest(
        as_of.isoformat(),
        {str(number): day.isoformat() for number, day in due.items()},
        [{"keep": keep, "months": months, "source": source} for keep, months, source in rules],
        marts,
    )
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (draft / MANIFEST).write_text(text, encoding="utf-8")
    for path in draft.iterdir():
        path.chmod(0o600)
    draft.rename(folder)
    return manifest, hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path, sha256: str) -> Manifest:
    """The manifest the ledger knows by this digest.

    Raises:
        ArchiveDamaged: it is missing or another.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise ArchiveDamaged(f"归档 {folder} 缺失，请从备份中恢复该目录") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArchiveDamaged(f"归档 {folder} 的清单与台账登记的摘要不符，请从备份中恢复该目录")
    found = json.loads(content)
    return Manifest(**found | {"marts": [ArchivedMart(**mart) for mart in found["marts"]]})


def checked(folder: Path, mart: ArchivedMart) -> Path:
    """The mart's file.

    Raises:
        ArchiveDamaged: it is missing or another.
    """
    path = folder / mart.file
    if not path.exists() or _digest(path) != mart.sha256:
        raise ArchiveDamaged(f"归档文件 {path} 缺失或与清单摘要不符，请从备份中恢复该目录")
    return path


def in_gaps(gaps: Iterable[Gap]) -> sql.Composable:
    """Condition over ``stored``: versions that no publication outside the gaps holds. Goes by the index on their end."""
    return sql.SQL(
        "exists (select from unnest({lows}::bigint[], {highs}::bigint[]) as gap (low, high)"
        " where stored.valid_from_publication > gap.low and stored.valid_to_publication <= gap.high)"
        " and stored.valid_to_publication between {first} and {last}"
    ).format(
        lows=sql.Literal([gap.low for gap in gaps]),
        highs=sql.Literal([gap.high for gap in gaps]),
        first=sql.Literal(min(gap.low for gap in gaps) + 1),
        last=sql.Literal(max(gap.high for gap in gaps)),
    )


def _write_mart(
    connection: psycopg.Connection, folder: Path, store: str, gaps: list[Gap]
) -> ArchivedMart | None:
    names = [*stores.columns(connection, store), *stores.VERSIONS]
    plain, target = folder / f"{store}.csv", folder / f"{store}.parquet"
    rows = sql.SQL("select {} from {} as stored where {} order by {}, {}").format(
        # As a cast writes it, and a reader of the store casts: COPY alone would write t for true.
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
        stores.table(store),
        in_gaps(gaps),
        # Neighbours in a file are alike, and a subject's rows are near each other.
        sql.Identifier("stored", "subject_key" if "subject_key" in names else stores.VERSIONS[0]),
        sql.Identifier("stored", stores.VERSIONS[0]),
    )
    copy = sql.SQL("copy ({}) to stdout (format csv, null {}, force_quote *)").format(
        rows, sql.Literal(_NULL)
    )
    with plain.open("wb") as file, connection.cursor() as cursor, cursor.copy(copy) as chunks:
        for chunk in chunks:
            file.write(chunk)
    try:
        return _to_parquet(store, plain, target, names)
    finally:
        plain.unlink()


def _to_parquet(store: str, plain: Path, target: Path, names: list[str]) -> ArchivedMart | None:
    if plain.stat().st_size == 0:
        return None
    types = {name: "bigint" if name in stores.VERSIONS else "varchar" for name in names}
    with duckdb.connect() as engine:
        engine.execute("set autoinstall_known_extensions = false")
        engine.execute(
            f"create view rows as select * from read_csv({_quoted(str(plain))}, header = false, columns = {types!r},"
            f" nullstr = {_quoted(_NULL)}, allow_quoted_nulls = false, quote = '\"', escape = '\"', delim = ',',"
            " auto_detect = false)"
        )
        engine.execute(f"copy rows to {_quoted(str(target))} (format parquet, compression zstd)")
        found = engine.execute(
            "select count(*), min(valid_from_publication), max(valid_to_publication) - 1 from read_parquet(?)",
            [str(target)],
        ).fetchone()
    assert found is not None
    rows, first, last = found
    return ArchivedMart(store, target.name, rows, target.stat().st_size, _digest(target), names, first, last)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def versions(path: Path, column: str, key: str) -> Iterator[dict[str, Any]]:
    """Archived rows with this key; values as PostgreSQL wrote them, the two version columns as numbers."""
    with duckdb.connect() as engine:
        cursor = engine.execute(f'select * from read_parquet(?) where "{column}" = ?', [str(path), key])
        names = [item[0] for item in cursor.description or ()]
        for row in cursor.fetchall():
            yield dict(zip(names, row, strict=True))
