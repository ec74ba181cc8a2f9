"""Verbs for all feeds of a source: what fails for one does not keep the others out."""

from __future__ import annotations

from datetime import date
from threading import Barrier

import psycopg
import pytest

from credit_warehouse import pipeline
from credit_warehouse.connections import Endpoint
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.settings import get_settings

NIGHT = date(2026, 3, 2)
ARREARS, RATINGS, VIOLATIONS = "tax.tax_arrears", "tax.taxpayer_a_grade", "tax.major_tax_violation"
TAX = Endpoint("http", "tax.test", 80, "office", "secret")


def test_feeds_are_pulled_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(get_settings().pull_connections, timeout=30)

    def pull(feed: str, business_date: date, endpoint: Endpoint, run_id: str | None) -> list[int]:
        together.wait()
        assert (business_date, endpoint, run_id) == (NIGHT, TAX, "run")
        return [len(feed)]

    monkeypatch.setattr(pipeline, "pull", pull)
    feeds = [ARREARS, RATINGS, VIOLATIONS][: get_settings().pull_connections]
    assert pipeline.pull_all(dict.fromkeys(feeds, TAX), NIGHT, "run") == {feed: [len(feed)] for feed in feeds}


def test_a_missing_feed_is_named_and_the_others_are_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def pull(feed: str, *_: object) -> list[int]:
        asked.append(feed)
        if feed == ARREARS:
            raise SourceUnavailable("尚未送达")
        return [1]

    monkeypatch.setattr(pipeline, "pull", pull)
    with pytest.raises(
        pipeline.FeedsFailed, match=rf"取数失败：.+（{ARREARS}）：SourceUnavailable 尚未送达$"
    ):
        pipeline.pull_all(dict.fromkeys([ARREARS, RATINGS, VIOLATIONS], TAX), NIGHT)
    assert sorted(asked) == sorted([ARREARS, RATINGS, VIOLATIONS])


def test_a_load_that_breaks_is_named_and_a_lost_database_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(feed: str, *_: object) -> list[int]:
        if feed == ARREARS:
            raise ValueError("坏了")
        if feed == VIOLATIONS:
            raise psycopg.OperationalError("gone")
        loaded.append(feed)
        return [1]

    monkeypatch.setattr(pipeline, "load", load)
    with pytest.raises(pipeline.FeedsFailed, match=f"装载失败：.+（{ARREARS}）：ValueError 坏了$"):
        pipeline.load_all([ARREARS, RATINGS], NIGHT)
    assert loaded == [RATINGS]
    with pytest.raises(psycopg.OperationalError):
        pipeline.load_all([VIOLATIONS, RATINGS], NIGHT)
    assert loaded == [RATINGS]
