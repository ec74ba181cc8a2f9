"""The tax API, spoken to with httpx."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from simulator.testing import RunningSimulator
from tests.integration.simulator.conftest import MONDAY, TUESDAY

Start = Callable[..., RunningSimulator]
Connect = Callable[[RunningSimulator], httpx.Client]
ARREARS = "/v1/tax_arrears"
TAX = ("tax",)


def _pages(client: httpx.Client, path: str, **window: str) -> list[dict[str, Any]]:
    """All pages of one extraction, 50 items each."""
    pages: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params={**window, **cursor, "limit": 50})
        answer.raise_for_status()
        pages.append(answer.json())
        if pages[-1]["next_cursor"] is None:
            return pages
        cursor = {"cursor": pages[-1]["next_cursor"]}


def _items(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for page in pages for item in page["items"]]


def test_pages_of_a_window_are_the_nights_delivery(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    tuesday = simulator.advance(TUESDAY)
    monday = simulator.key(MONDAY)
    client = api(simulator)
    for name in ("tax_arrears", "taxpayer_a_grade", "major_tax_violation"):
        first = _pages(client, f"/v1/{name}", updated_before="2026-03-03T00:00:00+08:00")
        later = _pages(
            client,
            f"/v1/{name}",
            updated_since="2026-03-02T16:00:00+00:00",
            updated_before="2026-03-04T00:00:00",
        )
        assert len(_items(first)) == monday.feeds[f"tax.{name}"].delivered == first[0]["total"]
        assert len(_items(later)) == tuesday.feeds[f"tax.{name}"].delivered
        assert len({page["snapshot"] for page in first}) == 1
        assert first[0]["snapshot"] != later[0]["snapshot"]


def test_planted_rows_are_at_the_items_the_key_names(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    key = simulator.advance(MONDAY).feeds["tax.tax_arrears"]
    items = _items(_pages(api(simulator), ARREARS))
    spoilt = [row.source_row for row in key.planted if "type_timestamp" in row.rules]
    assert spoilt
    assert all(items[number - 1]["updated_at"][:10] != "2026-01-31" for number in spoilt)
    assert {items[number - 1]["updated_at"] for number in spoilt} == {"2026-03-02 25:10:00", "三月二日下午"}


def test_page_holds_no_more_than_the_server_likes(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX, config={"tax": {"page_size": 30, "busy_share": 0}})
    simulator.advance(MONDAY)
    assert len(api(simulator).get(ARREARS, params={"limit": 500}).json()["items"]) == 30


def test_token_is_asked_for(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    client = api(simulator)
    tax = simulator.config.tax
    assert client.get(ARREARS, headers={"Authorization": "Bearer made-up"}).status_code == 401
    for form, auth, status in (
        ({"grant_type": "client_credentials"}, (tax.client_id, "wrong"), 401),
        ({"grant_type": "password"}, (tax.client_id, tax.client_secret), 400),
    ):
        assert client.post("/oauth/token", data=form, auth=auth).status_code == status


def test_token_dies_after_its_time(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX, config={"tax": {"token_seconds": 1, "busy_share": 0}})
    client = api(simulator)
    assert client.get(ARREARS).status_code == 200
    time.sleep(1.1)
    answer = client.get(ARREARS)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_busy_answers_never_come_twice_in_a_row(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX, config={"tax": {"busy_share": 0.4}})
    client = api(simulator)
    answers = [client.get(ARREARS, params={"limit": 1}) for _ in range(60)]
    statuses = [answer.status_code for answer in answers]
    assert {200, 429, 503} == set(statuses)
    assert all(200 in pair for pair in pairwise(statuses))
    assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status_code != 200)


def test_bad_questions_are_answered_in_words(start: Start, api: Connect) -> None:
    client = api(start(sources=TAX))
    for path, status in (
        ("/v1/nothing", 404),
        (f"{ARREARS}?limit=0", 400),
        (f"{ARREARS}?cursor=abc", 400),
        (f"{ARREARS}?updated_since=yesterday", 400),
    ):
        answer = client.get(path)
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True), path


def test_cursor_of_an_older_snapshot_is_gone(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    simulator.advance(MONDAY)
    client = api(simulator)
    cursor = client.get(ARREARS, params={"limit": 10}).json()["next_cursor"]
    simulator.advance(TUESDAY)
    assert client.get(ARREARS, params={"limit": 10, "cursor": cursor}).status_code == 410


def test_token_expiry_strikes_between_two_pages(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    simulator.advance(MONDAY)
    client = api(simulator)
    simulator.client.fault("token_expiry", source="tax")
    first = client.get(ARREARS, params={"limit": 50})
    assert first.status_code == 200
    assert client.get(ARREARS, params={"limit": 50, "cursor": first.json()["next_cursor"]}).status_code == 401
    assert len(_pages(api(simulator), ARREARS)) > 1


def test_page_repeated_and_page_changed(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    simulator.advance(MONDAY)
    client = api(simulator)
    honest = _pages(client, ARREARS)
    simulator.client.fault("page_repeated", feed="tax.tax_arrears")
    repeated = _pages(client, ARREARS)
    assert repeated[1]["items"] == repeated[0]["items"]
    assert len(_items(repeated)) > repeated[0]["total"]
    simulator.client.fault("page_changed", feed="tax.tax_arrears")
    changed = _pages(client, ARREARS)
    assert changed[0]["snapshot"] != changed[1]["snapshot"]
    assert _pages(client, ARREARS) == honest


def test_connection_dropped_in_the_middle_of_a_page(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    simulator.advance(MONDAY)
    client = api(simulator)
    simulator.client.fault("drop_connection", source="tax")
    with pytest.raises(httpx.TransportError):
        client.get(ARREARS)
    assert client.get(ARREARS).status_code == 200


def test_tax_down_refuses_or_answers_503(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    client = api(simulator)
    simulator.client.fault("down", source="tax")
    with pytest.raises(httpx.ConnectError):
        client.get("/health")
    simulator.client.fault("down", source="tax", mode="503")
    assert client.get(ARREARS).status_code == 503
    simulator.client.clear("tax")
    assert client.get("/health").status_code == 200


def test_spoilt_deliveries_of_the_api(start: Start, api: Connect) -> None:
    simulator = start(sources=TAX)
    simulator.client.fault("nested_json", feed="tax.tax_arrears")
    simulator.client.fault("missing_column", feed="tax.taxpayer_a_grade")
    simulator.client.fault("one_row", feed="tax.major_tax_violation")
    key = simulator.advance(MONDAY)
    client = api(simulator)
    assert isinstance(_items(_pages(client, ARREARS))[0]["taxpayer_name"], dict)
    assert "taxpayer_name" not in _items(_pages(client, "/v1/taxpayer_a_grade"))[0]
    assert len(_items(_pages(client, "/v1/major_tax_violation"))) == 1
    assert key.feeds["tax.major_tax_violation"].fault == "one_row"
    simulator.client.redeliver("tax.major_tax_violation", MONDAY)
    again = simulator.key(MONDAY).feeds["tax.major_tax_violation"]
    assert len(_items(_pages(client, "/v1/major_tax_violation"))) == again.delivered
    assert again.redelivered
