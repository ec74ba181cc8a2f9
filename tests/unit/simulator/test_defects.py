"""Single deliveries for other tests: right where nothing is asked, wrong in exactly the asked way."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from simulator import defects
from simulator.city import FIRST_NIGHT
from simulator.deliveries import BOMB_BYTES
from simulator.faults import DELIVERY_FAULTS, Fault, FaultKind
from simulator.feeds import FEEDS
from simulator.rows import Row
from simulator.schema import Medium
from simulator.servers.board import FaultBoard
from tests.unit.simulator.judge import judge

DEBTORS = FEEDS[defects.DEBTORS]
HEADER = [f.header for f in DEBTORS.fields]


def _manifest(path: Path) -> dict[str, str | int]:
    entry: dict[str, str | int] = json.loads(zipfile.ZipFile(path).read("manifest.json"))["files"][0]
    return entry


def _content(path: Path) -> bytes:
    return zipfile.ZipFile(path).read(f"{DEBTORS.name}.csv")


def _table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_content(path).decode("gb18030"), newline="")))


@pytest.mark.parametrize("feed_id", FEEDS)
def test_clean_rows_break_no_rule(feed_id: str) -> None:
    assert judge(FEEDS[feed_id], FIRST_NIGHT, defects.clean_rows(feed_id, 80)) == {}


def test_chosen_cells_are_written_over_the_first_rows(tmp_path: Path) -> None:
    changes: list[dict[str, str | None]] = [
        {"filing_date": "2022-09-31"},
        {"case_no": None, "court_name": "— —"},
    ]
    rows: list[Row] = defects.clean_rows(DEBTORS.id, 10, changes)
    assert judge(DEBTORS, FIRST_NIGHT, rows) == {
        1: {("type_date", "filing_date")},
        2: {("required", "case_no"), ("required", "court_name")},
    }
    assert judge(DEBTORS, FIRST_NIGHT, defects.clean_rows(DEBTORS.id, 10)) == {}


def test_right_delivery_and_its_receipts(tmp_path: Path) -> None:
    path = defects.make_delivery(tmp_path, DEBTORS.id, rows=20)
    content = _content(path)
    assert _table(path)[0] == HEADER
    assert _manifest(path)["rows"] == len(_table(path)) - 1 == 20
    assert _manifest(path)["sha256"] == hashlib.sha256(content).hexdigest()


def test_receipt_faults(tmp_path: Path) -> None:
    wrong = defects.make_wrong_checksum(tmp_path / "a")
    assert _manifest(wrong)["sha256"] != hashlib.sha256(_content(wrong)).hexdigest()
    assert _manifest(defects.make_row_count_mismatch(tmp_path / "b"))["rows"] == 107
    assert zipfile.ZipFile(defects.make_missing_manifest(tmp_path / "c")).namelist() == [
        f"{DEBTORS.name}.csv"
    ]
    alone = defects.make_missing_manifest(tmp_path / "d", defects.REGISTRATIONS)
    assert list(alone.parent.iterdir()) == [alone]


def test_byte_faults(tmp_path: Path) -> None:
    assert not zipfile.is_zipfile(defects.make_truncated_zip(tmp_path / "a"))
    assert _content(defects.make_wrong_encoding(tmp_path / "b")).decode("utf-8").startswith(HEADER[0])
    assert (
        _content(defects.make_wrong_encoding(tmp_path / "c", utf16=True))
        .decode("utf-16")
        .startswith(HEADER[0])
    )
    assert _content(defects.make_empty_file(tmp_path / "d")) == b""
    assert len(_table(defects.make_header_only(tmp_path / "e", DEBTORS.id))) == 1
    assert len(_table(defects.make_one_row(tmp_path / "f", DEBTORS.id))) == 2


@pytest.mark.parametrize(
    ("fault", "lost", "gained"),
    [
        (FaultKind.RENAMED_COLUMN, ["被执行人类型"], ["被执行人类型_1"]),
        (FaultKind.EXTRA_COLUMN, [], ["BYZD1"]),
        (FaultKind.MISSING_COLUMN, ["被执行人类型"], []),
        (FaultKind.MISSING_OPTIONAL_COLUMN, ["屏蔽原因"], []),
        (FaultKind.REORDERED_COLUMNS, [], []),
    ],
)
def test_column_faults(tmp_path: Path, fault: FaultKind, lost: list[str], gained: list[str]) -> None:
    table = _table(defects.make_delivery(tmp_path, DEBTORS.id, fault=fault))
    assert [name for name in HEADER if name not in table[0]] == lost
    assert [name for name in table[0] if name not in HEADER] == gained
    assert table[0] != HEADER
    assert {len(row) for row in table} == {len(table[0])}
    assert {row[table[0].index("案号")] for row in table[1:]} == {
        str(row.record["case_no"]) for row in defects.clean_rows(DEBTORS.id, 100)
    }


def test_workbook_faults(tmp_path: Path) -> None:
    merged = load_workbook(defects.make_merged_headers(tmp_path / "a")).worksheets[0]
    assert str(next(iter(merged.merged_cells.ranges))) == "A1:Y1"
    formulas = load_workbook(defects.make_formulas(tmp_path / "b")).worksheets[0]
    assert formulas["B2"].value == '=A2&""'
    bomb = zipfile.ZipFile(defects.make_zip_bomb(tmp_path / "c"))
    assert sum(member.file_size for member in bomb.infolist()) >= BOMB_BYTES
    assert sum(member.compress_size for member in bomb.infolist()) < 1_000_000


def test_every_delivery_fault_of_a_file_leaves_another_delivery(tmp_path: Path) -> None:
    for feed in (FEEDS[defects.DEBTORS], FEEDS[defects.PENALTIES], FEEDS[defects.REGISTRATIONS]):
        right = defects.make_delivery(tmp_path / "right", feed.id)
        receipt = right.with_name(f"{right.name}.sha256")
        for fault in DELIVERY_FAULTS[feed.medium] - {FaultKind.NOT_DELIVERED, FaultKind.ZIP_BOMB}:
            wrong = defects.make_delivery(tmp_path / fault, feed.id, fault=fault)
            other = wrong.with_name(f"{wrong.name}.sha256")
            same_receipt = receipt.exists() == other.exists() and (
                not receipt.exists() or receipt.read_text() == other.read_text()
            )
            assert wrong.read_bytes() != right.read_bytes() or not same_receipt, fault


def test_only_files_can_be_written(tmp_path: Path) -> None:
    assert FEEDS["tax.tax_arrears"].medium is Medium.API
    with pytest.raises(ValueError, match="not delivered as a file"):
        defects.make_delivery(tmp_path, "tax.tax_arrears")
    with pytest.raises(ValueError, match="writes no file"):
        defects.make_delivery(tmp_path, DEBTORS.id, fault=FaultKind.NOT_DELIVERED)
    with pytest.raises(ValueError, match="only"):
        defects.clean_rows(DEBTORS.id, 1_000_000)


def test_transfer_faults_strike_as_often_as_asked() -> None:
    board = FaultBoard()
    board.arm(Fault(kind=FaultKind.DROP_CONNECTION, source="tax", times=2))
    assert not board.strikes(FaultKind.DROP_CONNECTION, "court.judgment_enforcement")
    assert not board.strikes(FaultKind.DROP_CONNECTION, "tax.tax_arrears", only_if=False)
    struck = [board.strikes(FaultKind.DROP_CONNECTION, "tax.tax_arrears") for _ in range(3)]
    assert struck == [True, True, False]
    board.arm(Fault(kind=FaultKind.PAGE_CHANGED, feed="tax.tax_arrears"))
    assert not board.strikes(FaultKind.PAGE_CHANGED, "tax.taxpayer_a_grade")
    assert board.strikes(FaultKind.PAGE_CHANGED, "tax.tax_arrears")


def test_delivery_fault_is_taken_once_and_down_stays() -> None:
    board = FaultBoard()
    board.arm(Fault(kind=FaultKind.TRUNCATED, feed=DEBTORS.id))
    board.arm(Fault(kind=FaultKind.DOWN, source="court"))
    board.arm(Fault(kind=FaultKind.DOWN, source="court"))
    taken = [board.take_delivery_fault(DEBTORS.id) for _ in range(2)]
    assert [fault.kind if fault else None for fault in taken] == [FaultKind.TRUNCATED, None]
    assert board.is_down("court")
    assert len(board.armed()) == 1
    board.clear("tax")
    assert board.is_down("court")
    board.clear()
    assert board.armed() == []
