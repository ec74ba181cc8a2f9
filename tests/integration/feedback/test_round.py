"""Packages through the departments' real servers, equal to what the simulator planted."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from credit_warehouse import pipeline
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings
from simulator.answer_key import NightKey
from tests.integration.conftest import Nights

NIGHTS = [date(2026, 3, day) for day in (2, 3, 4)]
SOURCES = ("court", "data_administration", "market_regulation", "social_security", "tax")


def rows(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


def give_back(nights: Nights, night: date, sources: Iterable[str] = SOURCES) -> dict[str, Any]:
    return {source: pipeline.return_feedback(source, night, nights.reach[source]) for source in sources}


def received(nights: Nights, source: str, package_no: str) -> dict[str, bytes]:
    """The files of a package as the department holds them, by ending."""
    home = nights.simulator.home
    folder = home / "tax_feedback" / package_no if source == "tax" else None
    if folder is None:
        folder = home / source / "feedback" / package_no.split("-")[2]
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith(package_no)}
    return {name.removeprefix(f"{package_no}."): content for name, content in found.items()}


def exchange_rows(nights: Nights, package_no: str) -> list[tuple[Any, ...]]:
    """(feed, source_row, rule) as the department reads them."""
    reach = nights.reach["social_security"]
    with psycopg.connect(
        host=reach.host, port=reach.port, user=reach.user, password=reach.password, dbname=reach.extra["database"]
    ) as connection:
        return connection.execute(
            "select feed, source_row, rule from exchange.feedback where package_no = %s", [package_no]
        ).fetchall()


def planted(key: NightKey, source: str) -> Counter[tuple[str, int, str]]:
    return Counter(
        (feed, row.source_row, broken.rule)
        for feed, night in key.of(source).items()
        for row in night.planted
        for broken in row.broken
    )


def in_document(content: bytes) -> Counter[tuple[str, int, str]]:
    document = json.loads(content)
    return Counter(
        (row["feed"], row["source_row"], violation["rule"])
        for row in document["rows"]
        for violation in row["violations"]
    )


def in_csv(content: bytes) -> Counter[tuple[str, int, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    labels = {contract.label: contract.feed for contract in load_contracts().values()}
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return Counter((labels[line["数据集"]], int(line["行号"]), line["规则"]) for line in reader)


def in_workbook(content: bytes) -> Counter[tuple[str, int, str]]:
    book = load_workbook(io.BytesIO(content), read_only=True)
    labels = {contract.label: contract.feed for contract in load_contracts().values()}
    found: Counter[tuple[str, int, str]] = Counter()
    for sheet in book.worksheets[2:]:
        lines = sheet.iter_rows(values_only=True)
        columns = list(next(lines))
        for line in lines:
            found[labels[sheet.title], int(line[columns.index("行号")]), line[columns.index("规则")]] += 1
    return found


def test_every_department_gets_what_was_planted_and_nothing_else(nights: Nights) -> None:
    for night in NIGHTS:
        key = nights.simulator.advance(night)
        nights.intake(night)
        for source, sent in give_back(nights, night).items():
            package_no = f"FB-{source}-{night:%Y%m%d}-01"
            assert sent.acknowledged == [package_no], (source, sent)
            expected = planted(key, source)
            assert expected
            if source == "social_security":
                assert Counter(exchange_rows(nights, package_no)) == expected
                continue
            files = received(nights, source, package_no)
            assert in_document(files["json"]) == expected
            assert in_csv(files["csv"]) == expected
            assert in_workbook(files["xlsx"]) == expected
    receipts = rows("select count(*), count(distinct receipt_no), count(delivered_at) from ops.feedback_package")
    assert receipts == [(len(NIGHTS) * len(SOURCES),) * 3]
    assert not list(get_settings().feedback_dir.rglob("FB-*")), "what has a receipt lies about no longer"


def test_a_package_holds_its_departments_rows_alone_and_repeats_none(nights: Nights) -> None:
    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0])
    give_back(nights, NIGHTS[0])
    assert rows(
        "select count(*) from ops.feedback_item join ops.feedback_package as package using (package_id)"
        " join ops.batch using (batch_id) join ops.feed using (feed)"
        " where feed.department_code <> package.department_code"
    ) == [(0,)]
    again = give_back(nights, NIGHTS[0])
    assert all(not sent.acknowledged and not sent.delivered for sent in again.values())
    assert rows("select distinct number from ops.feedback_package") == [(1,)]
    ((kept,),) = rows("select count(distinct (batch_id, source_row)) from ops.feedback_item")
    assert rows("select sum(rows)::bigint from ops.feedback_package") == [(kept,)]
    assert rows("select count(*) from quarantine.rejected_row") == [(kept,)]


def test_what_comes_on_top_goes_back_as_a_supplement(nights: Nights) -> None:
    nights.simulator.client.fault("truncated", feed="court.judgment")
    key = nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0], ("court",))
    first = give_back(nights, NIGHTS[0], ("court",))["court"].acknowledged
    assert in_document(received(nights, "court", first[0])["json"])["court.judgment", 0, "broken_archive"] == 1
    nights.simulator.client.redeliver("court.judgment", NIGHTS[0])
    nights.intake(NIGHTS[0], ("court",))
    assert give_back(nights, NIGHTS[0], ("court",))["court"].acknowledged == ["FB-court-20260302-02"]
    supplement = in_document(received(nights, "court", "FB-court-20260302-02")["json"])
    assert supplement == Counter(
        {entry: count for entry, count in planted(key, "court").items() if entry[0] == "court.judgment"}
    )


@pytest.mark.parametrize("fault", ["down", "refuse_feedback"])
@pytest.mark.parametrize("source", ["court", "tax", "social_security"])
def test_a_department_that_takes_nothing_gets_it_the_next_night(nights: Nights, source: str, fault: str) -> None:
    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0], (source,))
    nights.simulator.client.fault(fault, source=source)
    package_no = f"FB-{source}-20260302-01"
    sent = give_back(nights, NIGHTS[0], (source,))[source]
    assert (sent.waiting, sent.refused) == (([package_no], []) if fault == "down" else ([], [package_no]))
    assert sent.reason
    assert rows("select state, attempts, receipt_no from ops.feedback_package") == [("failed", 1, None)]
    assert rows("select state from ops.outcome where step = 'feedback'") == [
        ("late" if fault == "down" else "refused",)
    ]
    nights.simulator.client.clear(source)
    assert give_back(nights, NIGHTS[1], (source,))[source].acknowledged == [package_no]
    assert rows("select state, attempts from ops.feedback_package") == [("acknowledged", 2)]


def test_an_upload_that_broke_off_is_finished(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest comes last: what is there of a package without it is no package."""
    from credit_warehouse.feedback.channels import sftp

    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0], ("court",))
    put = sftp._put
    uploaded: list[Path] = []

    def breaks(client: Any, path: Path, folder: str) -> None:
        if len(uploaded) == 2:
            raise ConnectionResetError("cut")
        put(client, path, folder)
        uploaded.append(path)

    monkeypatch.setattr(sftp, "_put", breaks)
    assert give_back(nights, NIGHTS[0], ("court",))["court"].waiting
    monkeypatch.setattr(sftp, "_put", put)
    (package_no,) = give_back(nights, NIGHTS[0], ("court",))["court"].acknowledged
    files = received(nights, "court", package_no)
    for name in ("xlsx", "csv", "json", "manifest.json"):
        assert files[f"{name}.sha256"].decode().split()[0] == hashlib.sha256(files[name]).hexdigest()
    assert not [name for name in files if name.endswith(".part")]


def test_the_same_package_is_the_same_bytes(nights: Nights) -> None:
    from credit_warehouse.feedback.building import build
    from credit_warehouse.feedback.package import write_package

    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0], ("court",))
    build("court", NIGHTS[0])
    ((package_id, digest),) = rows("select package_id, sha256 from ops.feedback_package")
    with connect() as connection:
        assert write_package(connection, package_id, get_settings().home / "again").sha256 == digest
