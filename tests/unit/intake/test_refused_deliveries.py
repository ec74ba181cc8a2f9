"""Deliveries that cannot be used as a whole: the code, what the clerk is told, and what is counted."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.intake.split import Split
from tests.unit.intake.deliveries import (
    DEBTOR_ROW,
    court_zip,
    csv_bytes,
    rejected_rows,
    with_sidecar,
    workbook_drop,
    workbook_rows,
)

SplitFile = Callable[..., Split]


def refusal(split: SplitFile, contract: FeedContract, path: Path, **settings: Any) -> DeliveryRefused:
    """What the split says of a file it must refuse."""
    with pytest.raises(DeliveryRefused) as caught:
        split(contract, path, **settings)
    assert caught.value.message, "the clerk is told what to do"
    return caught.value


def test_truncated_zip(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW] * 50))
    drop.write_bytes(drop.read_bytes()[:-100])
    assert refusal(split, debtor, drop).code == "broken_archive"


def test_damaged_zip_member(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW] * 50))
    content = bytearray(drop.read_bytes())
    content[60:90] = b"\0" * 30
    drop.write_bytes(content)
    assert refusal(split, debtor, drop).code in {"broken_archive", "checksum"}


def test_wrong_checksum_in_the_manifest(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW]), sha256="0" * 64)
    found = refusal(split, debtor, drop)
    assert (found.code, found.delivered_rows) == ("checksum", 1)


def test_row_count_differs_from_the_manifest(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW]), rows=2)
    found = refusal(split, debtor, drop)
    assert (found.code, found.delivered_rows) == ("row_count", 1)
    assert "2 行" in found.message


def test_missing_manifest(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = tmp_path / "drop.zip"
    with zipfile.ZipFile(drop, "w") as archive:
        archive.writestr("x.csv", csv_bytes(debtor, [DEBTOR_ROW]))
    assert refusal(split, debtor, drop).code == "missing_manifest"


@pytest.mark.parametrize("manifest", ["{", "[]", '{"feed": "court.x", "files": []}'])
def test_unreadable_manifest(debtor: FeedContract, split: SplitFile, tmp_path: Path, manifest: str) -> None:
    drop = tmp_path / "drop.zip"
    with zipfile.ZipFile(drop, "w") as archive:
        archive.writestr("manifest.json", manifest)
    assert refusal(split, debtor, drop).code == "bad_manifest"


def test_manifest_of_another_feed(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    other = debtor.model_copy(update={"feed": "court.judgment_enforcement"})
    drop = court_zip(tmp_path / "drop.zip", other, csv_bytes(debtor, [DEBTOR_ROW]))
    assert refusal(split, debtor, drop).code == "bad_manifest"


def test_manifest_naming_a_path_outside(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = tmp_path / "drop.zip"
    entry = {"name": "../../x.csv", "rows": 1, "sha256": "0" * 64}
    with zipfile.ZipFile(drop, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"feed": debtor.feed, "files": [entry]}))
    assert refusal(split, debtor, drop).code == "missing_file"
    assert list(tmp_path.parent.glob("x.csv")) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_wrong_encoding(debtor: FeedContract, split: SplitFile, tmp_path: Path, encoding: str) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW], encoding), rows=1)
    found = refusal(split, debtor, drop)
    assert (found.code, found.delivered_rows) == ("encoding", 1)
    assert "GB18030" in found.message


def test_missing_required_column(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    content = csv_bytes(debtor, [DEBTOR_ROW]).decode("gb18030").replace("案号,", "", 1)
    found = refusal(split, debtor, court_zip(tmp_path / "d.zip", debtor, content.encode("gb18030"), 1))
    assert found.code == "missing_column"
    assert "案号" in found.message


def test_renamed_column_names_both(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    content = csv_bytes(debtor, [DEBTOR_ROW]).decode("gb18030").replace("案号,", "案件编号,", 1)
    found = refusal(split, debtor, court_zip(tmp_path / "d.zip", debtor, content.encode("gb18030"), 1))
    assert found.code == "missing_column"
    assert "案号" in found.message and "案件编号" in found.message


def test_repeated_column(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    content = csv_bytes(debtor, [DEBTOR_ROW]).decode("gb18030").replace("性别", "案号", 1)
    found = refusal(split, debtor, court_zip(tmp_path / "d.zip", debtor, content.encode("gb18030"), 1))
    assert found.code == "bad_header"


def test_extra_and_missing_optional_columns_are_reported(
    debtor: FeedContract, split: SplitFile, tmp_path: Path
) -> None:
    content = csv_bytes(debtor, [DEBTOR_ROW]).decode("gb18030").replace("性别", "民族", 1)
    result = split(debtor, court_zip(tmp_path / "d.zip", debtor, content.encode("gb18030"), 1))
    assert (result.extra, result.missing_optional) == (["民族"], ["性别"])
    assert result.accepted_rows == 1


def test_column_order_does_not_matter(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    turned = debtor.model_copy(update={"fields": tuple(reversed(debtor.fields))})
    straight = split(
        debtor, court_zip(tmp_path / "a.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW]))
    ).accepted.read_text()
    reverse = split(
        debtor, court_zip(tmp_path / "b.zip", debtor, csv_bytes(turned, [DEBTOR_ROW]))
    ).accepted.read_text()
    assert straight == reverse


def test_empty_file(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    assert refusal(split, debtor, court_zip(tmp_path / "d.zip", debtor, b"", 0)).code == "empty_file"


def test_header_only_is_a_zero_report(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    result = split(debtor, court_zip(tmp_path / "d.zip", debtor, csv_bytes(debtor, []), 0))
    assert (result.delivered_rows, result.accepted_rows, result.rejected_rows) == (0, 0, 0)


def test_a_line_that_is_no_row_is_quarantined_alone(
    debtor: FeedContract, split: SplitFile, tmp_path: Path
) -> None:
    lines = csv_bytes(debtor, [DEBTOR_ROW, {**DEBTOR_ROW, "record_no": "3"}]).split(b"\r\n")
    lines.insert(2, b"only,three,cells")
    result = split(debtor, court_zip(tmp_path / "d.zip", debtor, b"\r\n".join(lines), 3))
    assert (result.delivered_rows, result.accepted_rows, result.rejected_rows) == (3, 2, 1)
    (row,) = rejected_rows(result)
    assert row["source_row"] == "2"
    assert row["payload"] == {"line": "only,three,cells"}
    assert row["violations"][0]["rule"] == "malformed_row"


def test_a_quote_that_never_closes(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    rows = [{**DEBTOR_ROW, "record_no": str(n)} for n in range(8000)]
    content = csv_bytes(debtor, rows).replace("（2025）粤1302执1号".encode("gb18030"), b'"open', 1)
    found = refusal(split, debtor, court_zip(tmp_path / "d.zip", debtor, content, 8000))
    assert found.code == "broken_csv"
    assert "第 1 行" in found.message


def test_a_row_too_long_to_be_one_is_quarantined_alone(
    debtor: FeedContract, split: SplitFile, tmp_path: Path
) -> None:
    rows = [DEBTOR_ROW, {**DEBTOR_ROW, "record_no": "2", "obligation": "长" * 600_000}]
    result = split(debtor, court_zip(tmp_path / "d.zip", debtor, csv_bytes(debtor, rows), 2))
    assert (result.accepted_rows, result.rejected_rows) == (1, 1)
    assert result.rule_counts == {("malformed_row", ""): 1}


def test_an_item_too_large_to_be_one_is_quarantined_alone(
    arrears: FeedContract, arrears_items: list[dict[str, Any]], split: SplitFile, tmp_path: Path
) -> None:
    arrears_items[0]["place"] = "长" * 300_000
    result = split(arrears, json_drop(tmp_path / "i.jsonl", arrears_items))
    assert (result.delivered_rows, result.rejected_rows) == (len(arrears_items), 1)
    assert result.rule_counts == {("malformed_row", ""): 1}


def test_zip_bomb(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    bomb = court_zip(tmp_path / "bomb.zip", debtor, b"0" * (64 << 20), 1)
    assert bomb.stat().st_size < 1 << 20
    assert refusal(split, debtor, bomb).code == "archive_too_large"


def test_more_than_the_limit_however_packed(debtor: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = court_zip(tmp_path / "d.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW] * 20_000))
    assert refusal(split, debtor, drop, max_unpacked_mb=1).code == "archive_too_large"


@pytest.fixture
def penalty(contracts: dict[str, FeedContract]) -> FeedContract:
    return contracts["market_regulation.administrative_penalty"]


def test_workbook_with_a_wrong_sidecar(penalty: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    drop = workbook_drop(tmp_path / "p.xlsx", workbook_rows(penalty))
    drop.with_name("p.xlsx.sha256").write_text("0" * 64 + "  p.xlsx\n")
    assert refusal(split, penalty, drop).code == "checksum"


def test_workbook_with_merged_header(penalty: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["行政处罚信息", *[None] * (len(penalty.fields) - 1)])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(penalty.fields))
    for row in workbook_rows(penalty):
        sheet.append(row)
    book.save(tmp_path / "p.xlsx")
    found = refusal(split, penalty, with_sidecar(tmp_path / "p.xlsx"))
    assert found.code in {"bad_header", "missing_column"}
    header = workbook_rows(penalty)
    header[0][3:5] = [header[0][3], None]
    merged = refusal(split, penalty, workbook_drop(tmp_path / "q.xlsx", header))
    assert merged.code == "bad_header"
    assert "合并" in merged.message


def test_workbook_formula_rejects_its_row_alone(
    penalty: FeedContract, split: SplitFile, tmp_path: Path
) -> None:
    rows = workbook_rows(penalty)
    rows[1][rows[0].index("CF_NR_FK")] = "=0.1+0.2"
    result = split(penalty, workbook_drop(tmp_path / "p.xlsx", rows))
    assert result.delivered_rows == len(rows) - 1
    assert result.rejected_rows == 1
    (row,) = rejected_rows(result)
    assert ("formula", "fine_cny") in {(v["rule"], v["field"]) for v in row["violations"]}


def test_workbook_bomb(penalty: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    assert refusal(split, penalty, with_sidecar(path)).code == "archive_too_large"


def test_a_workbook_larger_than_may_be_held_in_memory(
    penalty: FeedContract, split: SplitFile, tmp_path: Path
) -> None:
    rows = workbook_rows(penalty)
    drop = workbook_drop(tmp_path / "p.xlsx", rows[:1] + rows[1:] * 2000)
    found = refusal(split, penalty, drop, max_workbook_mb=1)
    assert found.code == "archive_too_large"
    assert "拆分" in found.message


def test_not_a_workbook(penalty: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(b"<html>not a workbook</html>")
    assert refusal(split, penalty, with_sidecar(path)).code == "broken_archive"


def test_workbook_with_an_entity_bomb(penalty: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    path = workbook_drop(tmp_path / "good.xlsx", workbook_rows(penalty))
    evil = tmp_path / "evil.xlsx"
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(evil, "w") as target:
        for member in source.infolist():
            content = laughs if member.filename == "xl/worksheets/sheet1.xml" else source.read(member)
            target.writestr(member.filename, content)
    assert refusal(split, penalty, with_sidecar(evil)).code in {"broken_workbook", "empty_file"}


def json_drop(path: Path, items: list[dict[str, Any]]) -> Path:
    """JSON lines as landed from an API."""
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))
    return path


@pytest.fixture
def arrears(contracts: dict[str, FeedContract]) -> FeedContract:
    return contracts["tax.tax_arrears"]


@pytest.fixture
def arrears_items(arrears: FeedContract) -> list[dict[str, Any]]:
    from credit_warehouse.contracts.samples import sample_path
    from credit_warehouse.settings import get_settings

    return [json.loads(line) for line in sample_path(arrears, get_settings()).read_text().splitlines()]


def test_nested_json_where_a_value_belongs(
    arrears: FeedContract, arrears_items: list[dict[str, Any]], split: SplitFile, tmp_path: Path
) -> None:
    arrears_items[0]["place"] = {"city": "惠州", "street": ["演达大道"]}
    result = split(arrears, json_drop(tmp_path / "i.jsonl", arrears_items))
    assert (result.accepted_rows, result.rejected_rows) == (len(arrears_items) - 1, 1)
    assert result.rule_counts == {("nested", "place"): 1}


def test_api_that_drops_a_required_key(
    arrears: FeedContract, arrears_items: list[dict[str, Any]], split: SplitFile, tmp_path: Path
) -> None:
    for item in arrears_items:
        item["taxpayer"] = item.pop("taxpayer_name")
    found = refusal(split, arrears, json_drop(tmp_path / "i.jsonl", arrears_items))
    assert (found.code, found.delivered_rows) == ("missing_column", len(arrears_items))


def test_empty_window_is_a_zero_report(arrears: FeedContract, split: SplitFile, tmp_path: Path) -> None:
    assert split(arrears, json_drop(tmp_path / "i.jsonl", [])).delivered_rows == 0
