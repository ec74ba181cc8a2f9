"""Deliveries built in a test, and the two halves of a split read back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

from credit_warehouse.contracts import FeedContract
from credit_warehouse.contracts.samples import sample_path
from credit_warehouse.intake.split import REJECTED_COLUMNS, Split, raw_columns
from credit_warehouse.settings import get_settings

DEBTOR_ROW = {
    "record_no": "1",
    "party_type": "自然人",
    "party_name": "张三",
    "resident_id": "44139919850307451X",
    "uscc": "",
    "legal_representative": "",
    "sex": "男",
    "age": "40",
    "case_no": "（2025）粤1302执1号",
    "filing_date": "20250105",
    "court_name": "惠州市惠城区人民法院",
    "basis_document_no": "（2024）粤1302民初1号",
    "basis_authority": "惠州市惠城区人民法院",
    "obligation": "",
    "performance": "全部未履行",
    "grounds": "违反限制消费令;违反财产报告制度",
    "published_on": "2025年02月05日",
    "removed_on": "",
    "removal_reason": "",
    "status": "发布",
    "updated_at": "2026-03-02 17:35:00",
}
"""A row of court.dishonest_judgment_debtor that breaks no rule."""


def csv_bytes(contract: FeedContract, rows: Iterable[dict[str, str]], encoding: str = "gb18030") -> bytes:
    """Rows (by field name) as the department's CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.header for field in contract.fields])
    for row in rows:
        writer.writerow([row[field.name] for field in contract.fields])
    return out.getvalue().encode(encoding)


def court_zip(
    path: Path, contract: FeedContract, content: bytes, rows: int | None = None, **manifest: Any
) -> Path:
    """A court drop; ``manifest`` overrides entries of its file line."""
    counted = content.count(b"\n") - 1 if rows is None else rows
    entry = {"name": "x.csv", "rows": counted, "sha256": hashlib.sha256(content).hexdigest(), **manifest}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", content)
        archive.writestr("manifest.json", json.dumps({"feed": contract.feed, "files": [entry]}))
    return path


def workbook_rows(contract: FeedContract) -> list[list[Any]]:
    """Header and rows of the contract's sample workbook."""
    sheet = load_workbook(sample_path(contract, get_settings())).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def workbook_drop(path: Path, rows: list[list[Any]]) -> Path:
    """A workbook with its checksum beside it."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(path)
    return with_sidecar(path)


def with_sidecar(path: Path) -> Path:
    """Write the ``.sha256`` of a file beside it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")
    return path


def accepted_rows(contract: FeedContract, result: Split) -> list[dict[str, str]]:
    """The accepted file by column."""
    with result.accepted.open(encoding="utf-8", newline="") as file:
        return [dict(zip(raw_columns(contract), row, strict=True)) for row in csv.reader(file)]


def rejected_rows(result: Split) -> list[dict[str, Any]]:
    """The rejected file by column, JSON parsed, in delivery order."""
    with result.rejected.open(encoding="utf-8", newline="") as file:
        rows = [dict(zip(REJECTED_COLUMNS, row, strict=True)) for row in csv.reader(file)]
    for row in rows:
        row["payload"] = json.loads(row["payload"])
        row["violations"] = json.loads(row["violations"])
    return sorted(rows, key=lambda row: int(row["source_row"]))
