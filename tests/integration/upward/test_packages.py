"""What is in a package, what is not, and what became of it, with a platform that knows only files and receipts."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.intake.split import raw_columns, split_delivery
from credit_warehouse.upward import exchanging
from credit_warehouse.upward.building import package_path
from credit_warehouse.upward.form import as_csv
from simulator.faults import PLATFORM, Fault, FaultKind

from .office import FEEDS, NIGHT, PENALTY, Office


def exchange(office: Office, **options: Any) -> exchanging.Exchanged:
    exchanging.prepare(office.settings, **options)
    return exchanging.send(office.settings, office.open_inbox, 0)


def rows(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


def packages(office: Office) -> list[tuple[int, str, int]]:
    return rows("select number, state, rows from ops.exchange_package order by number")


def arm(office: Office, kind: FaultKind, times: int = 1) -> None:
    office.board.arm(Fault(kind=kind, source=PLATFORM, times=times))


def test_the_platform_holds_what_was_delivered_in_the_form_it_was_delivered_in(office: Office) -> None:
    for number, feed in enumerate(FEEDS):
        office.deliver(str(number), feed)
    office.deliver(
        "4", PENALTY, CF_NR_FK="1.234567", CF_CFLB="罚款;警告", BZ='引号" 逗号, 换行\n止', CF_NR="内容"
    )
    assert exchange(office).answered == ["441300-000001"]
    assert office.platform.holdings == office.expected("0", "1", "2", "3", "4")
    assert exchange(office) == exchanging.Exchanged(), "nothing changed, nothing goes up"
    assert packages(office) == [(1, "acknowledged", 5)]


@pytest.mark.parametrize("feed", FEEDS)
def test_an_exported_file_passes_its_own_intake(office: Office, feed: str, tmp_path: Path) -> None:
    for record in "abc":
        office.deliver(record, feed)
    package = exchanging.prepare(office.settings)
    assert package is not None
    with zipfile.ZipFile(package_path(office.settings, "province", package.name)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        content = archive.read(f"{feed}.csv")
    contract = load_contracts()[feed]
    assert manifest["files"] == [
        {
            "name": f"{feed}.csv",
            "rows": 3,
            "sha256": hashlib.sha256(content).hexdigest(),
            "feed": feed,
            "label": contract.label,
            "edition": "2016版" if feed.endswith("2016") else "2018版",
            "columns": {field.header: field.label for field in contract.fields},
        }
    ]
    assert (
        manifest["package"],
        manifest["business_date"],
        manifest["publication"],
        manifest["previous"],
    ) == (
        "441300-000001",
        "2026-03-02",
        1,
        None,
    )
    (tmp_path / "file.csv").write_bytes(content)
    split = split_delivery(as_csv(contract), tmp_path / "file.csv", 7, NIGHT, tmp_path, office.settings)
    assert (split.accepted_rows, split.rejected_rows, split.missing_optional) == (3, 0, [])
    assert split.extra == ["operation", "record_key"]
    names = [field.name for field in contract.fields]
    with split.accepted.open(encoding="utf-8", newline="") as file:
        again = [dict(zip(raw_columns(contract), row, strict=True)) for row in csv.reader(file)]
    with (
        connect() as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy (select {', '.join(names)} from raw.{contract.relation}) to stdout csv") as copy,  # type: ignore[arg-type]
    ):
        stored = list(csv.reader(io.StringIO(b"".join(copy).decode(), newline="")))
    assert sorted([row[name] for name in names] for row in again) == sorted(stored)
