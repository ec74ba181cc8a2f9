"""Every kind of row rule: what breaks it, what does not, and what the clerk reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.intake.split import Split
from tests.unit.intake.deliveries import (
    DEBTOR_ROW,
    accepted_rows,
    court_zip,
    csv_bytes,
    rejected_rows,
    workbook_drop,
    workbook_rows,
)

SplitRows = Callable[..., Split]


def test_a_right_row_is_accepted_with_its_types(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    (row,) = accepted_rows(debtor, split_rows(debtor, debtor_row))
    assert row["filing_date"] == "2025-01-05"
    assert row["published_on"] == "2025-02-05"
    assert row["updated_at"] == "2026-03-02 17:35:00"
    assert row["subject_type"] == "person"
    assert row["source_row"] == "1"


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"record_no": ""}, {("required", "record_no")}),
        ({"court_name": "— —"}, {("required", "court_name")}),
        ({"court_name": "无"}, {("required", "court_name")}),
        ({"court_name": "/"}, {("required", "court_name")}),
        ({"filing_date": "2022-09-31"}, {("type_date", "filing_date")}),
        ({"filing_date": "2019年1月"}, {("type_date", "filing_date")}),
        ({"filing_date": "infinity"}, {("type_date", "filing_date")}),
        ({"age": "四十"}, {("type_number", "age")}),
        ({"age": "40.5"}, {("type_number", "age")}),
        ({"age": "151"}, {("range", "age")}),
        ({"age": "-1"}, {("range", "age")}),
        ({"updated_at": "昨天"}, {("type_timestamp", "updated_at")}),
        ({"updated_at": "2026-03-02T17:35:00+00:00"}, {("type_timestamp", "updated_at")}),
        ({"status": "有效"}, {("enum", "status")}),
        ({"grounds": "违反限制消费令;其他"}, {("enum", "grounds")}),
        ({"case_no": "号" * 65}, {("length", "case_no")}),
        ({"resident_id": "441399198503074517"}, {("check_resident_id", "resident_id")}),
        ({"resident_id": "441399200702064517"}, {("minor", "resident_id")}),
        ({"resident_id": "441399198502304512"}, {("check_resident_id", "resident_id")}),
        ({"uscc": "91441302MA9000118K"}, {("check_uscc", "uscc")}),
        ({"published_on": "2025年01月04日"}, {("date_order", "published_on")}),
        ({"published_on": "2026年03月03日"}, {("not_future", "published_on")}),
        (
            {"party_type": "法人或其他组织", "resident_id": ""},
            {("required_when", "uscc"), ("one_of", "identity")},
        ),
        ({"resident_id": ""}, {("required_when", "resident_id"), ("one_of", "identity")}),
        ({"record_no": "", "status": "有效"}, {("required", "record_no"), ("enum", "status")}),
    ],
)
def test_a_broken_row_is_quarantined_whole_with_every_rule(
    debtor: FeedContract,
    debtor_row: dict[str, str],
    split_rows: SplitRows,
    change: dict[str, str],
    broken: set[tuple[str, str]],
) -> None:
    result = split_rows(debtor, {**debtor_row, **change})
    assert (result.delivered_rows, result.accepted_rows, result.rejected_rows) == (1, 0, 1)
    (row,) = rejected_rows(result)
    assert {(violation["rule"], violation["field"]) for violation in row["violations"]} == broken
    assert set(result.rule_counts) == broken
    for name, value in change.items():
        assert (row["payload"][debtor.field(name).header] or "") == value
    for violation in row["violations"]:
        assert violation["message"].startswith("第1行 “")
        assert violation["suggestion"]


@pytest.mark.parametrize("text", ["", " ", "　", "—", "— —", "无", "/", "NULL", "null"])
def test_null_spellings_in_optional_fields_become_null(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows, text: str
) -> None:
    (row,) = accepted_rows(debtor, split_rows(debtor, {**debtor_row, "removal_reason": text}))
    assert row["removal_reason"] == ""


@pytest.mark.parametrize(
    "text", ["2025-01-05", "2025/1/5", "20250105", "2025年01月05日", "2025-01-05 00:00:00"]
)
def test_every_way_of_writing_a_day(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows, text: str
) -> None:
    (row,) = accepted_rows(debtor, split_rows(debtor, {**debtor_row, "filing_date": text}))
    assert row["filing_date"] == "2025-01-05"


def test_a_masked_number_is_accepted_and_names_nobody(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    (row,) = accepted_rows(debtor, split_rows(debtor, {**debtor_row, "resident_id": "4413991985****451X"}))
    assert row["subject_key"] == ""
    assert row["subject_type"] == ""


def test_a_lower_case_x_is_the_same_person(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    first = {**debtor_row, "resident_id": "11010519491231002X"}
    second = {**debtor_row, "resident_id": "11010519491231002x", "record_no": "2"}
    one, two = accepted_rows(debtor, split_rows(debtor, first, second))
    assert one["subject_key"] == two["subject_key"] != ""


def test_eighteen_on_the_day_is_an_adult(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    assert split_rows(debtor, {**debtor_row, "resident_id": "441399200702054511"}).accepted_rows == 1


def test_of_a_repeated_key_the_last_right_row_stands(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    broken_last = {**debtor_row, "status": "有效"}
    corrected = {**debtor_row, "performance": "部分未履行"}
    result = split_rows(debtor, debtor_row, corrected, broken_last)
    (stands,) = accepted_rows(debtor, result)
    assert stands["source_row"] == "2"
    assert result.rule_counts == {("duplicate_key", ""): 1, ("enum", "status"): 1}


def test_a_record_has_one_key_however_its_dates_are_written(
    contracts: dict[str, FeedContract], split: Callable[..., Split], tmp_path: Path
) -> None:
    contract = contracts["court.dishonest_judgment_debtor"].model_copy(
        update={"fields": _keyed_by(contracts["court.dishonest_judgment_debtor"], "filing_date")}
    )
    keys = set()
    for text in ("20250105", "2025年1月5日", "2025-01-05"):
        drop = court_zip(
            tmp_path / "drop.zip", contract, csv_bytes(contract, [{**DEBTOR_ROW, "filing_date": text}]), 1
        )
        keys.add(accepted_rows(contract, split(contract, drop))[0]["record_key"])
    assert len(keys) == 1


def _keyed_by(contract: FeedContract, name: str) -> tuple[Field, ...]:
    return tuple(
        field.model_copy(update={"key_position": 1 if field.name == name else None})
        for field in contract.fields
    )


@pytest.mark.parametrize(
    ("delivered", "stored"),
    [
        ("0.2", "2000.00"),
        ("3", "30000.00"),
        ("0.123456", "1234.56"),
        ("10000", "100000000.00"),
        ("50000", None),
    ],
)
def test_ten_thousand_yuan_is_stored_as_yuan_and_yuan_is_suspected(
    contracts: dict[str, FeedContract],
    split: Callable[..., Split],
    tmp_path: Path,
    delivered: str,
    stored: str | None,
) -> None:
    contract = contracts["market_regulation.administrative_penalty"]
    rows = workbook_rows(contract)
    del rows[2:]
    rows[1][rows[0].index("CF_CFLB")] = "罚款"
    rows[1][rows[0].index("CF_NR_FK")] = delivered
    result = split(contract, workbook_drop(tmp_path / "penalty.xlsx", rows))
    if stored is None:
        (row,) = rejected_rows(result)
        (violation,) = row["violations"]
        assert (violation["rule"], violation["field"]) == ("range", "fine_cny")
        assert "疑似按元填写" in violation["suggestion"]
    else:
        (row,) = accepted_rows(contract, result)
        assert row["fine_cny"] == stored


def test_what_stands_for_a_person_is_checked_only_when_it_is_a_resident_id(
    contracts: dict[str, FeedContract], split: Callable[..., Split], tmp_path: Path
) -> None:
    contract = contracts["market_regulation.administrative_penalty"]
    rows = workbook_rows(contract)
    header = rows[0]
    for kind, number in (("护照号", "X1234567"), ("身份证", "E12345678")):
        row = [*rows[1]]
        for name, value in {
            "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_ZJLX": kind, "CF_XDR_ZJHM": number, "CF_WSH": kind,
        }.items():  # fmt: skip
            row[header.index(name)] = value
        result = split(contract, workbook_drop(tmp_path / f"{kind}.xlsx", [header, row]))
        if kind == "护照号":
            assert accepted_rows(contract, result)[0]["subject_key"] == ""
        else:
            assert result.rule_counts == {("check_resident_id", "resident_id"): 1}
