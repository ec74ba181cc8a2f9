"""What a department can send wrong, over the real servers: the batch refused with its reason, then made good."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from credit_warehouse import pipeline
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from tests.integration.conftest import Nights

NIGHT = date(2026, 3, 2)
COURT = "court.judgment_enforcement"
CSV = "market_regulation.abnormal_operation"
WORKBOOK = "market_regulation.administrative_licence"
API = "tax.major_tax_violation"

REFUSED = [
    (COURT, "truncated", "broken_archive"),
    (COURT, "wrong_checksum", "checksum"),
    (COURT, "row_count_mismatch", "row_count"),
    (COURT, "missing_manifest", "missing_manifest"),
    (COURT, "wrong_encoding_utf16", "encoding"),
    (COURT, "wrong_encoding_utf8", "encoding"),
    (COURT, "renamed_column", "missing_column"),
    (COURT, "missing_column", "missing_column"),
    (COURT, "empty_file", "empty_file"),
    (COURT, "zip_bomb", "archive_too_large"),
    (CSV, "wrong_checksum", "checksum"),
    (CSV, "truncated", "checksum"),
    (CSV, "wrong_encoding_utf8", "encoding"),
    (CSV, "empty_file", "empty_file"),
    (WORKBOOK, "merged_headers", "bad_header"),
    (WORKBOOK, "zip_bomb", "archive_too_large"),
    (API, "missing_column", "missing_column"),
]


def one(statement: str, *parameters: Any) -> tuple[Any, ...]:
    with connect() as connection:
        row = connection.execute(statement, parameters).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row


def take(nights: Nights, feed: str, night: date = NIGHT) -> list[int]:
    new = pipeline.pull(feed, night, nights.reach[feed.split(".")[0]])
    pipeline.load(feed, night)
    return new


@pytest.mark.parametrize(("feed", "fault", "code"), REFUSED)
def test_a_delivery_refused_with_its_reason_and_made_good(
    nights: Nights, feed: str, fault: str, code: str
) -> None:
    nights.simulator.client.fault(fault, feed=feed)
    nights.simulator.advance(NIGHT)
    (batch,) = take(nights, feed)
    state, found, message, path = one(
        "select state, refusal_code, refusal_message, landed_path from ops.batch where batch_id = %s", batch
    )
    assert (state, found) == ("refused", code)
    told = one("select message from ops.outcome where step = 'load' and state = 'refused'")[0]
    assert load_contracts()[feed].label in told and message in told, "feed, batch and what to do"
    assert path, "the file is kept"
    assert one(f"select count(*) from raw.{feed.replace('.', '__')}") == (0,)

    nights.simulator.client.redeliver(feed, NIGHT)
    (again,) = take(nights, feed, NIGHT)
    promise = nights.simulator.key(NIGHT).feeds[feed]
    assert one(
        "select state, delivered_rows, accepted_rows, quarantined_rows from ops.batch where batch_id = %s",
        again,
    ) == ("loaded", promise.delivered, promise.accepted, promise.quarantined)


@pytest.mark.parametrize("feed", [COURT, CSV, WORKBOOK])
@pytest.mark.parametrize("fault", ["reordered_columns", "extra_column", "missing_optional_column"])
def test_drift_that_does_no_harm(nights: Nights, feed: str, fault: str) -> None:
    nights.simulator.client.fault(fault, feed=feed)
    promise = nights.simulator.advance(NIGHT).feeds[feed]
    (batch,) = take(nights, feed)
    state, delivered = one("select state, delivered_rows from ops.batch where batch_id = %s", batch)
    assert (state, delivered) == ("loaded", promise.delivered)
    metric = {"extra_column": "extra_columns", "missing_optional_column": "missing_optional_columns"}.get(
        fault
    )
    if metric:
        assert one("select value from ops.batch_profile where metric = %s", metric)[0] >= 1


def test_nested_json_costs_its_rows_only(nights: Nights) -> None:
    nights.simulator.client.fault("nested_json", feed=API)
    nights.simulator.advance(NIGHT)
    take(nights, API)
    assert one("select count(*) > 0 from ops.rule_count where rule = 'nested'") == (True,)
    assert one("select state, delivered_rows = accepted_rows + quarantined_rows from ops.batch") == (
        "loaded",
        True,
    )


def test_formulas_cost_their_rows_only(nights: Nights) -> None:
    nights.simulator.client.fault("formulas", feed=WORKBOOK)
    nights.simulator.advance(NIGHT)
    take(nights, WORKBOOK)
    assert one("select count(*) > 0 from ops.rule_count where rule = 'formula'") == (True,)
    assert one("select state, accepted_rows > 0 from ops.batch") == ("loaded", True)


def test_one_row_where_hundreds_are_usual_is_refused_by_the_gate(nights: Nights) -> None:
    feed = "market_regulation.enterprise_registration"
    nights.simulator.client.fault("one_row", feed=feed)
    nights.simulator.advance(NIGHT)
    answers = nights.intake(NIGHT, ("market_regulation",))
    assert answers.pop(feed) == "refused"
    assert set(answers.values()) == {"delivered"}, "the other feeds of the department are unharmed"
    code, message, delivered, refused = one(
        "select refusal_code, refusal_message, delivered_rows, refused_rows from ops.batch where feed = %s",
        feed,
    )
    assert (code, delivered, refused) == ("gate", 1, 1)
    assert "企业登记" in message


def test_header_only_is_a_zero_report_where_the_contract_allows_one(nights: Nights) -> None:
    nights.simulator.advance(NIGHT)
    nights.intake(NIGHT, ("market_regulation",))
    second = date(2026, 3, 3)
    nights.simulator.client.fault("header_only", feed=CSV)
    nights.simulator.advance(second)
    answers = nights.intake(second, ("market_regulation",))
    assert answers[CSV] == "delivered"
    assert one(
        "select state, delivered_rows from ops.batch where feed = %s and delivered_for = %s", CSV, second
    ) == ("accepted", 0)


@pytest.mark.parametrize("fault", ["page_repeated", "page_changed"])
def test_pages_that_do_not_belong_together_are_asked_again(nights: Nights, fault: str) -> None:
    feed = "tax.tax_arrears"
    nights.simulator.client.fault(fault, feed=feed)
    promise = nights.simulator.advance(NIGHT).feeds[feed]
    take(nights, feed)
    assert one("select delivered_rows, accepted_rows from ops.batch") == (promise.delivered, promise.accepted)


def test_a_token_that_dies_after_every_page(nights: Nights) -> None:
    feed = "tax.tax_arrears"
    nights.simulator.client.fault("token_expiry", source="tax", times=3)
    promise = nights.simulator.advance(NIGHT).feeds[feed]
    take(nights, feed)
    assert one("select delivered_rows from ops.batch") == (promise.delivered,)


@pytest.mark.parametrize("feed", [COURT, WORKBOOK, "tax.tax_arrears"])
def test_a_connection_dropped_in_the_middle_leaves_nothing_half(nights: Nights, feed: str) -> None:
    source = feed.split(".")[0]
    nights.simulator.client.fault("drop_connection", source=source)
    promise = nights.simulator.advance(NIGHT).feeds[feed]
    with pytest.raises(SourceUnavailable):
        take(nights, feed)
    assert one("select count(*) from ops.batch") == (0,)
    assert one("select state, code from ops.outcome") == ("failed", "source_unavailable")
    take(nights, feed)
    assert one("select delivered_rows, accepted_rows from ops.batch") == (promise.delivered, promise.accepted)


@pytest.mark.parametrize("mode", [None, "503"])
def test_a_tax_api_that_is_down(nights: Nights, mode: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from credit_warehouse.intake.sources import rest

    monkeypatch.setattr(rest, "_BUSY_ATTEMPTS", 2)
    nights.simulator.advance(NIGHT)
    nights.simulator.client.fault("down", source="tax", mode=mode)
    with pytest.raises(SourceUnavailable, match="税务"):
        take(nights, API)
    nights.simulator.client.clear("tax")
    assert len(take(nights, API)) == 1


def test_a_drop_that_has_not_come(nights: Nights) -> None:
    nights.simulator.client.fault("not_delivered", feed=COURT)
    nights.simulator.advance(NIGHT)
    with pytest.raises(SourceUnavailable, match="尚未送达"):
        take(nights, COURT)
    assert pipeline.settle("court", NIGHT)[COURT] == "late"


def test_an_upload_without_its_receipt_is_not_taken_yet(nights: Nights) -> None:
    nights.simulator.client.fault("missing_manifest", feed=CSV)
    nights.simulator.advance(NIGHT)
    with pytest.raises(SourceUnavailable, match="尚未送达"):
        take(nights, CSV)


def test_a_server_with_another_key_is_not_spoken_to(nights: Nights) -> None:
    nights.simulator.advance(NIGHT)
    nights.reach["court"].extra["host_key"] = nights.reach["market_regulation"].extra["host_key"]
    with pytest.raises(SourceUnavailable):
        take(nights, COURT)
