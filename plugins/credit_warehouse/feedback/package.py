"""The files of one package and the manifest that holds their checksums."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from credit_warehouse.feedback import content
from credit_warehouse.feedback.content import Heading
from credit_warehouse.feedback.texts import CsvWriter, JsonWriter, read_rows
from credit_warehouse.feedback.workbook import WorkbookWriter
from credit_warehouse.intake.archive import sha256_of


@dataclass(frozen=True)
class Package:
    """One package on disk. ``files`` come before ``manifest``, which names each with size and sha256."""

    heading: Heading
    files: tuple[Path, ...]
    manifest: Path

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the JSON document, one at a time."""
        return read_rows(next(path for path in self.files if path.suffix == ".json"))

    @property
    def sha256(self) -> str:
        """Digest of the manifest, and so of everything."""
        return sha256_of(self.manifest)

    def remove(self) -> None:
        """Take the files away."""
        for path in (*self.files, self.manifest):
            path.unlink(missing_ok=True)


def write_package(connection: psycopg.Connection, package_id: int, folder: Path) -> Package:
    """Write workbook, CSV, JSON and manifest into ``folder``, for the owner's eyes only. The same package is the same
    bytes, whenever it is written."""
    heading = content.heading(connection, package_id)
    counts = content.counts(connection, package_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    book, table, document, manifest = _paths(heading, folder)
    writers = (WorkbookWriter(book, heading, counts), CsvWriter(table), JsonWriter(document, heading, counts))
    for row in content.returned(connection, package_id):
        for writer in writers:
            writer.add(row)
    for writer in writers:
        writer.close()
    files = (book, table, document)
    manifest.write_text(_manifest(heading, files), encoding="utf-8")
    for path in (*files, manifest):
        path.chmod(0o600)
    return Package(heading, files, manifest)


def find_package(connection: psycopg.Connection, package_id: int, folder: Path) -> Package | None:
    """The package as it lies in ``folder``, none unless it is complete."""
    heading = content.heading(connection, package_id)
    *files, manifest = _paths(heading, folder)
    if not all(path.exists() for path in (*files, manifest)):
        return None
    return Package(heading, tuple(files), manifest)


def _paths(heading: Heading, folder: Path) -> list[Path]:
    return [folder / f"{heading.package_no}.{kind}" for kind in ("xlsx", "csv", "json", "manifest.json")]


def _manifest(heading: Heading, files: tuple[Path, ...]) -> str:
    return json.dumps(
        {
            "package_no": heading.package_no,
            "department_code": heading.department_code,
            "business_date": heading.business_date.isoformat(),
            "rows": heading.rows,
            "errors": heading.errors,
            "refused_batches": heading.refused_batches,
            "files": [
                {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in files
            ],
        },
        ensure_ascii=False,
        indent=1,
    )
