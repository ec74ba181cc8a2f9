"""What became of returned rows, over weekends and a holiday, out of order and by officers: equal to pandas."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from chinese_calendar import is_workday
from psycopg.types.json import Jsonb

from credit_warehouse import publication
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.feedback import closing
from credit_warehouse.settings import PROJECT_DIR

from .city import Row, deliver, key_of
from .dbt_process import dbt

FEEDS = ("court.judgment", "tax.tax_arrears")
FIRST = date(2026, 3, 27)
NIGHTS = 18
"""Two weekends, 清明 (4 to 6 April), and 5 working days on all sides of them."""
PUBLISHED = (6, 7, 12, 18)
AFTER = 1000
"""Rejected rows with numbers above it come after the accepted ones of their batch, the others before."""


@dataclass
class Event:
    """A row of the independent account: accepted, or rejected and what became of it."""

    feed: str
    record: str
    taken: date
    position: tuple[date, int, int]
    accepted: bool
    known: bool = True
    duplicate: bool = False
    outcome: str = "open"
    closed_on: date | None = None


class Account:
    """Deliveries into the warehouse, and what must become of each rejected row, reckoned row by row."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.events: list[Event] = []

    def night(self, night: date) -> None:
        for feed in FEEDS:
            for _ in range(self.chance.randrange(3)):
                self._batch(feed, night)
        for event in [event for event in self.events if event.outcome == "open" and not event.accepted]:
            if self.chance.random() < 0.04:
                outcome = self.chance.choice(["ignored", "corrected"])
                closing.close_by_person(
                    event.position[1], event.position[2], outcome, night, "李四", "部门复函1号"
                )  # type: ignore[arg-type]
                event.outcome, event.closed_on = outcome, night

    def _batch(self, feed: str, night: date) -> None:
        chance = self.chance
        delivered_for = night - timedelta(days=chance.choice([0, 0, 0, 1, 3]))
        accepted = [f"R{n}" for n in range(14) if chance.random() < 0.15]
        refused = chance.random() < 0.15
        batch_id = deliver(feed, night, [Row(record, None, {}) for record in accepted], delivered_for)
        fresh: list[Event] = []
        with connect() as connection:
            connection.execute(
                f"update raw.{feed.replace('.', '__')} set source_row = source_row + 500 where batch_id = %s",
                [batch_id],
            )
            for number in range(1, chance.randrange(1, 7)):
                row = number + chance.choice([0, AFTER])
                event = Event(feed, f"R{chance.randrange(14)}", night, (delivered_for, batch_id, row), False)
                event.known = chance.random() < 0.85
                event.duplicate = event.known and chance.random() < 0.15
                rule = "duplicate_key" if event.duplicate else "enum"
                connection.execute(
                    "insert into quarantine.rejected_row (batch_id, source_row, feed, record_key, payload, violations,"
                    " is_key_whole) values (%s, %s, %s, %s, '{}', %s, %s)",
                    [
                        batch_id,
                        row,
                        feed,
                        key_of(feed, event.record),
                        Jsonb([{"rule": rule, "field": "", "error_code": 1}]),
                        event.known,
                    ],
                )
                fresh.append(event)
            if refused:
                connection.execute(
                    "update ops.batch set state = 'refused', refusal_code = 'gate', refused_rows = accepted_rows"
                    " + refused_rows, accepted_rows = 0 where batch_id = %s",
                    [batch_id],
                )
            closing.close_by_batch(connection, load_contracts()[feed], batch_id)
        if not refused:
            fresh += [
                Event(feed, record, night, (delivered_for, batch_id, number + 500), True)
                for number, record in enumerate(accepted, 1)
            ]
        self._settle(fresh)

    def _settle(self, fresh: list[Event]) -> None:
        for event in fresh:
            if event.duplicate:
                event.outcome, event.closed_on = "duplicate", event.taken
        self.events += fresh
        telling = [event for event in self.events if event.accepted or (event.known and not event.duplicate)]
        for row in self.events:
            if row.accepted or row.outcome != "open" or not row.known:
                continue
            later = [
                event
                for event in telling
                if (event.feed, event.record) == (row.feed, row.record) and event.position > row.position
            ]
            if later:
                nearest = min(later, key=lambda event: event.position)
                row.outcome = "corrected" if nearest.accepted else "rerejected"
                row.closed_on = max(row.taken, nearest.taken)

    def frame(self) -> pd.DataFrame:
        returned = pd.DataFrame([vars(event) for event in self.events if not event.accepted])
        returned["due_on"] = [fifth_workday(day) for day in returned["taken"]]
        returned["workdays"] = [
            workdays(a, b) if b else None
            for a, b in zip(returned["taken"], returned["closed_on"], strict=True)
        ]
        return returned


def workdays(after: date, until: date) -> int:
    return sum(is_workday(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))


def fifth_workday(day: date) -> date:
    reached = day
    while workdays(day, reached) < 5:
        reached += timedelta(days=1)
    return reached


def daily(frame: pd.DataFrame) -> dict[tuple[date, str], tuple[Any, ...]]:
    found = {}
    for (night, feed), rows in frame.groupby(["taken", "feed"]):
        outcome = rows["outcome"].value_counts()
        corrected, rerejected, ignored, duplicate, still_open = (
            int(outcome.get(name, 0)) for name in ("corrected", "rerejected", "ignored", "duplicate", "open")
        )
        in_time = sum(
            o == "corrected" and c <= due
            for o, c, due in zip(rows["outcome"], rows["closed_on"], rows["due_on"], strict=True)
        )
        asked = len(rows) - duplicate
        handled = corrected + rerejected + ignored
        shares = tuple(round(part / asked, 6) if asked else None for part in (handled, corrected, ignored))
        counts = (len(rows), corrected, in_time, rerejected, ignored, duplicate, still_open, asked, handled)
        found[night, feed] = (*counts, *shares, asked < 30)
    return found


def read(statement: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def assert_published(account: Account) -> None:
    frame = account.frame()
    assert {
        (row[0], row[1]): row[2:]
        for row in read(
            "select batch_id, source_row, opened_on, due_on, closed_on, outcome, workdays from mart.feedback_item"
        )
    } == {
        (row.position[1], row.position[2]): (
            row.taken, row.due_on, row.closed_on, row.outcome, None if pd.isna(row.workdays) else int(row.workdays),
        )
        for row in frame.itertuples()
    }  # fmt: skip
    assert {
        (row[0], row[1]): (
            *row[2:11],
            *(None if share is None else float(share) for share in row[11:14]),
            row[14],
        )
        for row in read(
            "select business_date, feed, returned_rows, corrected_rows, corrected_in_time_rows, rerejected_rows,"
            " ignored_rows, duplicate_rows, open_rows, asked_rows, handled_rows, handling_rate, correction_rate,"
            " ignore_rate, is_small from mart.feedback_daily"
        )
    } == daily(frame)
    corrected = frame[frame["outcome"] == "corrected"]
    assert {
        row[:3]: row[3]
        for row in read("select business_date, feed, workdays, corrected_rows from mart.feedback_delay_daily")
    } == corrected.groupby(["closed_on", "feed", "workdays"]).size().to_dict()


@pytest.fixture
def publish(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Publish a night of the models that feedback needs."""
    project = PROJECT_DIR / "dbt_project"

    def run(night: date, *arguments: str) -> None:
        opened = publication.open_candidate(night, full_refresh="--full-refresh" in arguments)
        assert opened is not None
        if opened.publication_id == 1:
            dbt(monkeypatch, project, 1, night, "seed")
        chosen = ("--select", "+feedback_daily", "+feedback_delay_daily", "+feed_published", *arguments)
        dbt(monkeypatch, project, opened.publication_id, night, "run", *chosen)
        publication.publish(opened.publication_id, "test")

    return run


def test_feedback_equals_pandas_night_by_night(publish: Callable[..., None]) -> None:
    account = Account(seed=7)
    for number in range(1, NIGHTS + 1):
        night = FIRST + timedelta(days=number)
        account.night(night)
        if number in PUBLISHED:
            publish(night)
            assert_published(account)
    outcomes = account.frame()["outcome"].value_counts()
    assert set(outcomes.index) == {"corrected", "rerejected", "ignored", "duplicate", "open"}
    assert outcomes.min() >= 3
    stored = read("select count(*) from mart_store.feedback_item")
    publish(night, "--full-refresh")
    assert read("select count(*) from mart_store.feedback_item") == stored, (
        "the affected set missed something"
    )


def test_an_officers_word_of_noon_is_in_the_next_publication(publish: Callable[..., None]) -> None:
    account = Account(seed=3)
    night = FIRST + timedelta(days=3)
    while not [event for event in account.events if event.outcome == "open" and not event.accepted]:
        account.night(night)
    publish(night)
    event = next(event for event in account.events if event.outcome == "open" and not event.accepted)
    closing.close_by_person(event.position[1], event.position[2], "ignored", night, "李四", "部门复函2号")
    event.outcome, event.closed_on = "ignored", night
    publish(night)
    assert_published(account)
