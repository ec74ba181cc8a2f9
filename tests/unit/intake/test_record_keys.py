"""One decision, one record: whichever generation of the items tells it, and whichever feed tells its changes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.intake.split import REJECTED_COLUMNS, raw_columns, split_delivery
from credit_warehouse.settings import Settings
from simulator import defects
from simulator.deliveries import write_delivery
from simulator.feeds import FEEDS
from simulator.rows import Row
from simulator.schema import Medium, Record

DAY = date(2026, 3, 2)
PENALTY = "market_regulation.administrative_penalty"
LICENCE = "market_regulation.administrative_licence"


def test_every_feed_of_changes_names_the_records_its_target_keeps(tmp_path: Path) -> None:
    for feed in (feed for feed in FEEDS.values() if feed.target and feed.medium is not Medium.API):
        target = FEEDS[str(feed.target)]
        examples = [row.record for row in defects.clean_rows(target.id, 60)]
        for change in (row.record for row in defects.clean_rows(feed.id, 5)):
            about = {name: change[name] for name in target.by_name if name in change}
            example = next(r for r in examples if target.is_person(r) == feed.is_person(change))
            (kept,) = accepted(tmp_path, target.id, [{**example, **about}])
            (told,) = accepted(tmp_path, feed.id, [change])
            assert told["target_record_key"] == kept["record_key"]


@pytest.mark.parametrize("generation", [PENALTY, LICENCE])
def test_a_decision_in_both_generations_is_one_record(tmp_path: Path, generation: str) -> None:
    newer = record_of_organisation(generation)
    for codes in (
        {"uscc": newer["uscc"], "org_code": None},
        {"uscc": None, "org_code": newer["uscc"][8:17]},
        {"uscc": None, "org_code": f"{newer['uscc'][8:16]}-{newer['uscc'][16]}"},
        {"uscc": None, "org_code": None, "tax_no": newer["uscc"]},
    ):
        older = as_of_2016(generation, newer, registration_no=None, **{"tax_no": None, **codes})
        (first,) = accepted(tmp_path, generation, [newer])
        (second,) = accepted(tmp_path, f"{generation}_v2016", [older])
        assert first["record_key"] == second["record_key"], codes


@pytest.mark.parametrize(
    "changed", [{"document_no": "另一文号"}, {"authority_name": "惠州市某某区城市管理局"}]
)
def test_another_document_or_authority_is_another_record(tmp_path: Path, changed: Record) -> None:
    newer = record_of_organisation(PENALTY)
    older = as_of_2016(PENALTY, newer, **{"uscc": newer["uscc"], **changed})
    (first,) = accepted(tmp_path, PENALTY, [newer])
    (second,) = accepted(tmp_path, f"{PENALTY}_v2016", [older])
    assert first["record_key"] != second["record_key"]


def test_a_representatives_number_makes_nobody_the_subject(tmp_path: Path) -> None:
    newer = record_of_organisation(PENALTY)
    number = defects.clean_rows("data_administration.population_register", 1)[0].record["resident_id"]
    by_org_code = as_of_2016(
        PENALTY, newer, uscc=None, org_code=newer["uscc"][8:17], resident_id=number, legal_representative=None
    )
    of_person = as_of_2016(
        PENALTY, newer, uscc=None, org_code=None, registration_no=None, tax_no=None, resident_id=number,
        legal_representative=None,
    )  # fmt: skip
    (organisation,) = accepted(tmp_path, f"{PENALTY}_v2016", [by_org_code])
    (person,) = accepted(tmp_path, f"{PENALTY}_v2016", [of_person])
    assert organisation["subject_type"] != "person"
    assert person["subject_type"] == "person"
    assert organisation["record_key"] != person["record_key"]


def test_an_organisation_named_by_its_representative_alone_is_refused(tmp_path: Path) -> None:
    newer = record_of_organisation(PENALTY)
    number = defects.clean_rows("data_administration.population_register", 1)[0].record["resident_id"]
    row = as_of_2016(
        PENALTY, newer, uscc=None, org_code=None, registration_no=None, tax_no=None, resident_id=number
    )
    assert rejected(tmp_path, f"{PENALTY}_v2016", [row]) == [{("one_of", "organisation_code")}]


def test_licences_without_a_number_are_told_apart_by_day_and_content(tmp_path: Path) -> None:
    newer = record_of_organisation(LICENCE)
    rows = [
        as_of_2016(LICENCE, newer, uscc=newer["uscc"], document_no="空", content=content)
        for content in ("准予甲项许可", "准予乙项许可")
    ]
    first, second = accepted(tmp_path, f"{LICENCE}_v2016", rows)
    assert first["record_key"] != second["record_key"]
    (again,) = accepted(tmp_path, f"{LICENCE}_v2016", [{**rows[0], "remark": "更正"}])
    assert again["record_key"] == first["record_key"]


@pytest.mark.parametrize(
    "authority", ["惠城市监罚〔2025〕12号", "2022-09-31", "惠州市惠城区云山西路", "12号"]
)
def test_no_authority_no_entry(tmp_path: Path, authority: str) -> None:
    """Harvested rows have documents, dates and addresses in this column (DOMAIN.md §3.1)."""
    row = {**record_of_organisation(PENALTY), "authority_name": authority}
    (broken,) = rejected(tmp_path, PENALTY, [row])
    assert broken == {("pattern", "authority_name")}


@pytest.mark.parametrize(
    "authority", ["惠州市市场监督管理局", "惠州仲恺高新区管委会", "某某市人民政府办公室（综合执法）队"]
)
def test_bodies_of_every_kind_are_authorities(tmp_path: Path, authority: str) -> None:
    row = {**record_of_organisation(PENALTY), "authority_name": authority}
    assert len(accepted(tmp_path, PENALTY, [row])) == 1


def record_of_organisation(feed_id: str) -> Record:
    return next(row.record for row in defects.clean_rows(feed_id, 50) if row.record["uscc"])


def as_of_2016(generation: str, record: Record, **changes: str | None) -> Record:
    """The decision in the items of 2016."""
    feed = FEEDS[f"{generation}_v2016"]
    example = defects.clean_rows(feed.id, 1)[0].record
    shared = {
        name: record[name] for name in feed.by_name if name in record and name not in ("status", "uscc")
    }
    blank = dict.fromkeys(("org_code", "registration_no", "tax_no", "resident_id"))
    return {**example, **shared, **blank, **changes}


def accepted(folder: Path, feed_id: str, records: Iterable[Record]) -> list[dict[str, str]]:
    contract, split = run(folder, feed_id, records)
    with split.accepted.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, fieldnames=raw_columns(contract)))


def rejected(folder: Path, feed_id: str, records: Iterable[Record]) -> list[set[tuple[str, str]]]:
    _, split = run(folder, feed_id, records)
    with split.rejected.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, fieldnames=REJECTED_COLUMNS))
    return [{(broken["rule"], broken["field"]) for broken in json.loads(row["violations"])} for row in rows]


def run(folder: Path, feed_id: str, records: Iterable[Record]):  # type: ignore[no-untyped-def]
    contract = load_contracts()[feed_id]
    stamp = defects.clean_rows(feed_id, 1)[0]
    rows = [Row(record, stamp.kind, stamp.stamp) for record in records]
    scratch = folder / str(len(list(folder.iterdir())))
    scratch.mkdir()
    path = landed(contract, rows, scratch)
    return contract, split_delivery(
        contract, path, 1, DAY, scratch, Settings(pepper=SecretStr("t"), home=scratch)
    )


def landed(contract: FeedContract, rows: list[Row], folder: Path) -> Path:
    feed = FEEDS[contract.feed]
    if feed.medium is Medium.TABLE:
        path = folder / "changes.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*(f.header for f in feed.fields), "change_seq"])
            writer.writerows([*row.cells(feed), number] for number, row in enumerate(rows, start=1))
        return path
    written = write_delivery(feed, DAY, rows, folder)
    assert written is not None
    return written
