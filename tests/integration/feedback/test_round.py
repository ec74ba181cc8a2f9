"""Packages through the departments' real servers, equal to what the simulator planted."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from credit_warehouse import pipeline
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.feedback.channels import sftp
from credit_warehouse.feedback.package import write_package
from credit_warehouse.intake.error_codes import by_number
from credit_warehouse.settings import get_settings
from simulator.answer_key import NightKey
from tests.integration.conftest import Nights

NIGHT = date(2026, 3, 2)
Error = tuple[str, int, str]
"""Feed, row, rule."""

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
        host=reach.host,
        port=reach.port,
        user=reach.user,
        password=reach.password,
        dbname=reach.extra["database"],
    ) as connection:
        return connection.execute(
            "select feed, source_row, rule from exchange.feedback where package_no = %s", [package_no]
        ).fetchall()


def planted(key: NightKey, source: str) -> set[Error]:
    return {
        (feed, row.source_row, rule)
        for feed, night in key.of(source).items()
        for row in night.planted
        for rule in row.rules
    }


def in_document(content: bytes) -> set[Error]:
    document = json.loads(content)
    return {
        (row["feed"], row["source_row"], violation["rule"])
        for row in document["rows"]
        for violation in row["violations"]
    }


def rule_of(number: str) -> str:
    return by_number()[int(number)].rule


def in_csv(content: bytes) -> set[Error]:
    assert content.startswith(b"\xef\xbb\xbf")
    labels = {contract.label: contract.feed for contract in load_contracts().values()}
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return {(labels[line["数据集"]], int(line["行号"]), rule_of(line["错误码"])) for line in reader}


def in_workbook(content: bytes) -> set[Error]:
    book = load_workbook(io.BytesIO(content), read_only=True)
    labels = {contract.label: contract.feed for contract in load_contracts().values()}
    found: set[Error] = set()
    for sheet in book.worksheets[2:]:
        lines = sheet.iter_rows(values_only=True)
        columns = list(next(lines))
        for line in lines:
            found.add(
                (
                    labels[sheet.title],
                    int(line[columns.index("行号")]),
                    rule_of(line[columns.index("错误码")]),
                )
            )
    return found


def test_every_department_gets_what_was_planted_and_nothing_else(nights: Nights) -> None:
    key = nights.simulator.advance(NIGHT)
    nights.intake(NIGHT)
    missed = _while_some_take_nothing(nights)
    for source, sent in give_back(nights, NIGHT + timedelta(days=1)).items():
        package_no = f"FB-{source}-20260302-01"
        assert sent.acknowledged == ([package_no] if source in missed else []), (source, sent)
        expected = planted(key, source)
        assert expected
        if source == "social_security":
            assert set(exchange_rows(nights, package_no)) == expected
            continue
        files = received(nights, source, package_no)
        assert in_document(files["json"]) == expected
        assert in_csv(files["csv"]) == expected
        assert in_workbook(files["xlsx"]) == expected
    receipts = rows(
        "select count(*), count(distinct receipt_no), count(delivered_at) from ops.feedback_package"
    )
    assert receipts == [(len(SOURCES),) * 3]
    assert not list(get_settings().feedback_dir.rglob("FB-*")), "what has a receipt lies about no longer"
    assert rows(
        "select count(*) from ops.feedback_item join ops.feedback_package as package using (package_id)"
        " join ops.batch using (batch_id) join ops.feed using (feed)"
        " where feed.department_code <> package.department_code"
    ) == [(0,)]
    returned = rows("select count(distinct (batch_id, source_row)), count(*) from ops.feedback_item")
    assert rows("select sum(rows)::bigint, sum(errors)::bigint from ops.feedback_package") == returned
    assert (
        rows("select count(*), sum(jsonb_array_length(violations)) from quarantine.rejected_row") == returned
    )


def _while_some_take_nothing(nights: Nights) -> tuple[str, ...]:
    """The first tries: three departments are down, then refuse; the others are served all the same."""
    missed = ("court", "social_security", "tax")
    for attempt, (fault, outcome) in enumerate((("down", "late"), ("refuse_feedback", "refused")), 1):
        for source in missed:
            nights.simulator.client.fault(fault, source=source)
        for source, sent in give_back(nights, NIGHT).items():
            package_no = f"FB-{source}-20260302-01"
            if source not in missed:
                assert sent.acknowledged == ([package_no] if attempt == 1 else []), (source, sent)
                continue
            assert (sent.waiting if fault == "down" else sent.refused) == [package_no], (source, sent)
            assert sent.reason
            nights.simulator.client.clear(source)
            assert rows(
                "select state, attempts, receipt_no from ops.feedback_package where source = %s", source
            ) == [("failed", attempt, None)]
            assert rows(
                "select state from ops.outcome where step = 'feedback' and source = %s order by outcome_id desc limit 1",
                source,
            ) == [(outcome,)]
    return missed


def test_what_breaks_off_is_finished_and_what_comes_on_top_is_a_supplement(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = NIGHT
    nights.simulator.client.fault("truncated", feed="court.judgment")
    key = nights.simulator.advance(night)
    nights.intake(night, ("court",))
    with monkeypatch.context() as patch:
        patch.setattr(sftp, "_put", _breaks_after(2, sftp._put))
        assert give_back(nights, night, ("court",))["court"].waiting
    ((package_id, digest),) = rows("select package_id, sha256 from ops.feedback_package")
    with connect() as connection:
        again = write_package(connection, package_id, get_settings().home / "again")
    assert again.sha256 == digest, "the same package is the same bytes"

    (first,) = give_back(nights, night, ("court",))["court"].acknowledged
    files = received(nights, "court", first)
    for name in ("xlsx", "csv", "json", "manifest.json"):
        assert files[f"{name}.sha256"].decode().split()[0] == hashlib.sha256(files[name]).hexdigest()
    assert not [name for name in files if name.endswith(".part")]
    assert ("court.judgment", 0, "broken_archive") in in_document(files["json"])

    nights.simulator.client.redeliver("court.judgment", night)
    nights.intake(night, ("court",))
    assert give_back(nights, night, ("court",))["court"].acknowledged == ["FB-court-20260302-02"]
    supplement = in_document(received(nights, "court", "FB-court-20260302-02")["json"])
    assert supplement == {error for error in planted(key, "court") if error[0] == "court.judgment"}


def _breaks_after(files: int, put: Callable[..., None]) -> Callable[..., None]:
    uploaded: list[Path] = []

    def breaks(client: Any, path: Path, folder: str) -> None:
        if len(uploaded) == files:
            raise ConnectionResetError("cut")
        put(client, path, folder)
        uploaded.append(path)

    return breaks
