"""Four nights of the five departments' real servers, equal to the answer key row for row."""

from __future__ import annotations

from datetime import date
from typing import Any

from credit_warehouse.database import connect
from simulator.answer_key import NightKey
from tests.integration.conftest import Nights

NIGHTS = [date(2026, 3, day) for day in (2, 3, 4, 5)]


def rows(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


def ledger(night: date) -> dict[str, tuple[int, int, int]]:
    """feed → delivered, accepted, rejected of the deliveries for a night."""
    return {
        feed: counts
        for feed, *counts in (
            (row[0], row[1], row[2], row[3])
            for row in rows(
                "select feed, sum(delivered_rows)::int, sum(accepted_rows)::int,"
                " sum(quarantined_rows + refused_rows)::int from ops.batch where delivered_for = %s group by feed",
                night,
            )
        )
        for counts in [tuple(counts)]
    }


def promised(key: NightKey) -> dict[str, tuple[int, int, int]]:
    return {feed: (n.delivered, n.accepted, n.quarantined) for feed, n in key.feeds.items()}


def rules_found(night: date) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for feed, rule, count in rows(
        "select q.feed, v ->> 'rule', count(distinct q.source_row) from quarantine.rejected_row as q"
        " join ops.batch as b using (batch_id), jsonb_array_elements(q.violations) as v"
        " where b.delivered_for = %s group by 1, 2",
        night,
    ):
        found.setdefault(feed, {})[rule] = count
    return found


def planted(key: NightKey) -> set[tuple[str, int]]:
    return {(feed, row.source_row) for feed, night in key.feeds.items() for row in night.planted}


def test_four_nights_equal_the_answer_key(nights: Nights) -> None:
    for night in NIGHTS:
        key = nights.simulator.advance(night)
        answers = nights.intake(night)
        assert set(answers.values()) == {"delivered"}, answers
        assert ledger(night) == promised(key)
        assert rules_found(night) == {feed: n.rules for feed, n in key.feeds.items() if n.rules}
        assert {
            (feed, row)
            for feed, row in rows(
                "select q.feed, q.source_row from quarantine.rejected_row as q join ops.batch using (batch_id)"
                " where delivered_for = %s",
                night,
            )
        } == planted(key)
    raw = sum(
        rows(f"select count(*) from raw.{relation}")[0][0]
        for (relation,) in rows("select replace(feed, '.', '__') from ops.feed")
    )
    assert [(raw,)] == rows("select sum(accepted_rows)::bigint from ops.batch")


def test_the_same_night_twice_changes_nothing(nights: Nights) -> None:
    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0])
    before = rows("select * from ops.batch order by batch_id")
    ((last,),) = rows("select max(outcome_id) from ops.outcome")
    assert set(nights.intake(NIGHTS[0]).values()) == {"delivered"}
    assert rows("select * from ops.batch order by batch_id") == before
    states = rows(f"select distinct state from ops.outcome where step = 'pull' and outcome_id > {last}")
    assert {state for (state,) in states} <= {"unchanged"}


def test_two_nights_out_of_order(nights: Nights) -> None:
    nights.simulator.advance(NIGHTS[2])
    nights.intake(NIGHTS[0])
    nights.intake(NIGHTS[2])
    answers = nights.intake(NIGHTS[1])
    assert set(answers.values()) <= {"delivered", "unchanged"}
    keys = [nights.simulator.key(night) for night in NIGHTS[:3]]
    for feed in keys[0].feeds:
        delivered = rows("select sum(delivered_rows)::int from ops.batch where feed = %s", feed)[0][0]
        assert delivered == sum(key.feeds[feed].delivered for key in keys), feed


def test_a_source_that_is_down_delays_only_itself_and_is_made_up_later(nights: Nights) -> None:
    nights.simulator.advance(NIGHTS[0])
    nights.intake(NIGHTS[0])
    key = nights.simulator.advance(NIGHTS[1])
    nights.simulator.client.fault("down", source="court")
    answers = nights.intake(NIGHTS[1])
    assert {feed for feed, answer in answers.items() if answer == "late"} == {
        feed for feed in answers if feed.startswith("court.")
    }
    late = rows("select message from ops.outcome where step = 'settle' and state = 'late'")
    assert all("现用数据截至 2026-03-02" in message for (message,) in late)
    nights.simulator.client.clear("court")
    again = nights.intake(NIGHTS[1], ("court",))
    assert set(again.values()) == {"delivered"}
    assert ledger(NIGHTS[1]) == promised(key)
