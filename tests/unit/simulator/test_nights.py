"""The generator: deterministic, and true to its own answer key under an independent judge."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from credit_warehouse.contracts import load_contracts
from simulator.city import City
from simulator.deliveries import write_delivery
from simulator.feeds import FEEDS, REGISTER
from simulator.feeds.changes import FOLLOWS
from simulator.rows import NULL_SPELLINGS
from simulator.schema import Kind, Medium
from tests.unit.simulator.conftest import Night, nights
from tests.unit.simulator.judge import judge

ALL_RULES = {
    "required", "required_when", "one_of", "type_date", "type_number", "type_timestamp", "enum", "pattern", "length",
    "range", "check_uscc", "check_resident_id", "check_org_code", "check_registration_no", "check_tax_no", "date_order", "not_future", "duplicate_key",
    "not_in_catalogue", "no_document", "forbidden", "minor",
}  # fmt: skip


def _cells(night: Night) -> dict[str, list[list[str | None]]]:
    return {feed_id: [row.cells(FEEDS[feed_id]) for row in rows] for feed_id, rows in night.rows.items()}


def test_nights_one_by_one_equal_nights_at_once(eight_nights: list[Night]) -> None:
    city = City(seed=7, enterprises=400, persons=500)
    for expected in eight_nights[:3]:
        # Between two nights everything is forgotten but what a restart replays.
        again = next(nights(city, 1))
        assert _cells(again) == _cells(expected)
        assert again.key == expected.key
        replayed = City(seed=7, enterprises=400, persons=500)
        while replayed.next_night < city.next_night:
            replayed.run_night()
        city = replayed


def test_another_seed_is_another_city(eight_nights: list[Night]) -> None:
    other = next(nights(City(seed=8, enterprises=400, persons=500), 1))
    assert _cells(other) != _cells(eight_nights[0])


def test_night_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="the next night is 2026-03-02"):
        list(City().deliver(REGISTER, date(2026, 3, 4)))


@pytest.mark.parametrize("feed_id", FEEDS)
def test_planted_rows_are_exactly_the_rows_a_judge_rejects(feed_id: str, eight_nights: list[Night]) -> None:
    for night in eight_nights:
        planted = {
            row.source_row: {(broken.rule, broken.field) for broken in row.broken}
            for row in night.key.feeds[feed_id].planted
        }
        assert judge(FEEDS[feed_id], night.day, night.rows[feed_id]) == planted, night.day


def test_key_counts_are_the_rows(eight_nights: list[Night]) -> None:
    for night in eight_nights:
        for feed_id, counted in night.key.feeds.items():
            assert counted.delivered == len(night.rows[feed_id])
            assert counted.delivered == counted.accepted + counted.quarantined
            assert counted.quarantined == len(counted.planted)
            subjects = counted.matched + counted.unknown_subject + counted.persons + counted.masked
            kinds = counted.new + counted.fixed + counted.corrections + counted.withdrawals + counted.resent
            assert counted.accepted == subjects == kinds
            rules = Counter(rule for row in counted.planted for rule in row.rules)
            assert counted.rules == rules


def test_every_delivery_stays_within_the_reject_budget_of_its_contract(eight_nights: list[Night]) -> None:
    for night in eight_nights:
        for feed_id, counted in night.key.feeds.items():
            budget = load_contracts()[feed_id].terms.reject_budget
            assert counted.quarantined <= budget * counted.delivered, (night.day, feed_id)


def test_every_rule_is_planted_in_the_initial_load(eight_nights: list[Night]) -> None:
    planted = {rule for counted in eight_nights[0].key.feeds.values() for rule in counted.rules}
    assert planted == ALL_RULES


def test_later_nights_bring_every_kind_of_change(eight_nights: list[Night]) -> None:
    for night in eight_nights[1:]:
        for feed in FEEDS.values():
            counted = night.key.feeds[feed.id]
            assert (
                counted.new and counted.corrections and counted.resent and counted.rules["duplicate_key"] == 2
            )
            assert bool(counted.withdrawals) == bool(feed.withdrawal)
            assert bool(counted.unknown_subject) == (not feed.is_register)
            assert bool(counted.late) == bool(feed.decided_on)
    assert sum(night.key.feeds["court.dishonest_judgment_debtor"].masked for night in eight_nights) > 10


def test_truth_follows_from_the_accepted_rows_alone(eight_nights: list[Night]) -> None:
    latest: dict[tuple[str, ...], tuple[object, bool, str | None, str]] = {}
    for night in eight_nights:
        for feed in FEEDS.values():
            rejected = {row.source_row for row in night.key.feeds[feed.id].planted}
            for number, row in enumerate(night.rows[feed.id], start=1):
                if number in rejected:
                    continue
                record = row.record
                state = (record["updated_at"], feed.is_withdrawal(record), feed.subject(record), feed.id)
                key = (feed.key_space, *feed.natural_key(record))
                if key not in latest or state[0] >= latest[key][0]:
                    latest[key] = state
        for feed in FEEDS.values():
            told = [state for state in latest.values() if state[3] == feed.id]
            withdrawn = sum(gone for _, gone, _, _ in told)
            truth = night.key.truth[feed.id]
            assert (truth.live, truth.withdrawn) == (len(told) - withdrawn, withdrawn), feed.id
    for sampled in eight_nights[-1].key.subjects:
        live = Counter(
            feed for _, gone, subject, feed in latest.values() if subject == sampled.uscc and not gone
        )
        assert sampled.live == live


def test_both_generations_tell_the_same_decisions(eight_nights: list[Night]) -> None:
    for feed in (feed for feed in FEEDS.values() if feed.record_as):
        told: dict[str, set[tuple[str, ...]]] = {feed.id: set(), feed.key_space: set()}
        for night in eight_nights:
            for feed_id, keys in told.items():
                keys |= {
                    FEEDS[feed_id].natural_key(row.record)
                    for row in night.rows[feed_id]
                    if not row.violations
                }
        assert len(told[feed.id] & told[feed.key_space]) > 20
        assert len(told[feed.id] - told[feed.key_space]) > 20


def test_changes_speak_of_live_late_and_unknown_records_and_settle_earlier_ones(
    eight_nights: list[Night],
) -> None:
    for feed in (feed for feed in FEEDS.values() if feed.target):
        target = FEEDS[str(feed.target)]
        accepted = [row.record for night in eight_nights for row in night.rows[feed.id] if not row.violations]
        first_told: dict[tuple[str, ...], int] = {}
        for number, night in enumerate(eight_nights):
            for row in night.rows[target.id]:
                if not row.violations:
                    first_told.setdefault(target.natural_key(row.record), number)
        when = [
            (number, first_told.get(target.natural_key(row.record)))
            for number, night in enumerate(eight_nights)
            for row in night.rows[feed.id]
            if not row.violations
        ]
        assert any(told is not None and told <= number for number, told in when), "live"
        assert any(told is not None and told > number for number, told in when), "before its record"
        assert any(told is None for _, told in when), "without its record"
        settled = {record[FOLLOWS] for record in accepted if record[FOLLOWS]}
        assert len(settled) >= 3
        assert settled <= {record["change_no"] for record in accepted}


def test_nothing_is_newer_than_its_night(eight_nights: list[Night]) -> None:
    for night in eight_nights:
        for rows in night.rows.values():
            assert all(row.stamp.date() <= night.day for row in rows)


def test_items_of_the_api_are_in_order_of_their_stamp(eight_nights: list[Night]) -> None:
    for night in eight_nights:
        for feed in FEEDS.values():
            if feed.medium is Medium.API:
                stamps = [row.stamp for row in night.rows[feed.id]]
                assert stamps == sorted(stamps)


def test_departments_spell_dates_and_nothing_their_own_way(eight_nights: list[Night]) -> None:
    cells = [
        cell
        for night in eight_nights
        for rows in _cells(night).values()
        for row in rows
        for cell in row
        if cell
    ]
    assert set(NULL_SPELLINGS) <= set(cells)
    assert any(cell.count("/") == 2 and cell[:2] == "20" for cell in cells)
    debtor = FEEDS["court.dishonest_judgment_debtor"]
    row = dict(zip((f.name for f in debtor.fields), _cells(eight_nights[0])[debtor.id][0], strict=True))
    assert len(str(row["filing_date"])) == 8
    assert str(row["published_on"]).endswith("日")


def test_amounts_in_ten_thousands_keep_their_yuan() -> None:
    capital = REGISTER.by_name["registered_capital_cny"]
    assert capital.kind is Kind.AMOUNT
    assert capital.spell(2_005_000) == "200.5"
    assert capital.spell(50_001_200) == "5000.12"


def test_file_bytes_depend_on_the_rows_alone(eight_nights: list[Night], tmp_path: Path) -> None:
    night = eight_nights[1]
    for feed in FEEDS.values():
        if feed.medium not in (Medium.API, Medium.TABLE):
            first, second = (
                write_delivery(feed, night.day, night.rows[feed.id], tmp_path / name)
                for name in ("one", "two")
            )
            assert first is not None
            assert second is not None
            assert first.read_bytes() == second.read_bytes()
