"""How much of a population has a credit file, on any day: against counting heads one by one, with joiners, leavers,
moves between districts, records that come, go and run out, discarded candidates and repeated attempts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.settings import PROJECT_DIR

from .city import CONTRACTS, Row, deliver
from .dbt_process import dbt
from .histories import months_later

TRADES = "data_administration.professional_register"
PEOPLE = "data_administration.population_register"
PENALTY = "market_regulation.administrative_penalty"
LICENCE = "market_regulation.administrative_licence"
FIRST = date(2026, 3, 2)
DISTRICTS = ("441302", "441303", "441322")
CITY = "全市"

Figures = tuple[int, int]
Counts = dict[tuple[str, str, str], Figures]


@dataclass
class Entry:
    """The versions of one register entry: night, time of change, values, taken back."""

    population: str
    group: str
    versions: list[tuple[date, datetime, dict[str, Any], bool]] = field(default_factory=list)


@dataclass
class Heads:
    """The reference: it walks from person to person and from day to day."""

    entries: dict[str, Entry] = field(default_factory=dict)
    records: dict[str, list[tuple[date, str, date, bool]]] = field(default_factory=dict)

    def on(self, day: date) -> Counts:
        """Members and filed members by population, group and district."""
        stays: dict[tuple[str, str, str], list[tuple[date, datetime, str]]] = {}
        for entry in self.entries.values():
            *_, (_, changed, values, withdrawn) = sorted(entry.versions, key=lambda version: version[1])
            left = values["left"]
            if not withdrawn and values["joined"] <= day and (left is None or day < left):
                key = (entry.population, entry.group, values["subject"])
                stays.setdefault(key, []).append((values["joined"], changed, values["district"]))
        members: Counter[tuple[str, str, str]] = Counter()
        filed: Counter[tuple[str, str, str]] = Counter()
        for (population, group, subject), found in stays.items():
            for district in (max(found)[2], CITY):
                members[population, group, district] += 1
                filed[population, group, district] += self.has_file(population, subject, day)
        return {key: (number, filed[key]) for key, number in members.items()}

    def has_file(self, population: str, subject: str, day: date) -> bool:
        """Records of others only: the professional register's entries are themselves records of their members."""
        held = [
            taken <= day and (until is None or day <= until)
            for owner, taken, until in self._held()
            if owner == subject
        ]
        if population == "population":
            held += [
                min(version[0] for version in entry.versions) <= day
                for entry in self.entries.values()
                if entry.population == "professional_group"
                and not (newest := max(entry.versions, key=lambda version: version[1]))[3]
                and newest[2]["subject"] == subject
            ]
        return any(held)

    def _held(self) -> list[tuple[str, date, date | None]]:
        found = []
        for name, versions in self.records.items():
            _, subject, decided, withdrawn = versions[-1]
            until = months_later(decided, 60) if name.startswith("P") else None
            if not withdrawn and (until is None or until >= versions[0][0]):
                found.append((subject, versions[0][0], until))
        return found


class RandomRegisters:
    """Ten people in two trades and three districts, about whom one or two things happen a night."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.heads = Heads()
        self.changes = 0

    def one_night(self, night: date, last: date) -> None:
        self._register(PEOPLE, "population", ("全体",), night, last)
        self._register(TRADES, "professional_group", ("律师", "教师"), night, last)
        self._records(night)

    def _register(self, feed: str, population: str, groups: tuple[str, ...], night: date, last: date) -> None:
        rows = []
        for _ in range(self.chance.randrange(2, 6)):
            name = f"{population}{self.chance.randrange(14)}"
            entry = self.heads.entries.setdefault(name, Entry(population, self.chance.choice(groups)))
            joined = last - timedelta(days=self.chance.randrange(60))
            left = self.chance.choice([None, joined + timedelta(days=self.chance.randrange(1, 40))])
            values = {
                "subject": f"person{self.chance.randrange(10)}",
                "district": self.chance.choice(DISTRICTS),
                "joined": joined,
                "left": left,
            }
            self.changes += 1
            changed = datetime(2026, 3, 1) + timedelta(minutes=self.changes)
            # Only what the contract knows to take back can be taken back.
            withdrawn = CONTRACTS[feed].terms.withdrawal is not None and self.chance.random() < 0.1
            entry.versions.append((night, changed, values, withdrawn))
            rows.append(_register_row(feed, name, entry.group, values, changed, withdrawn))
        deliver(feed, night, rows)

    def _records(self, night: date) -> None:
        by_feed: dict[str, list[Row]] = {PENALTY: [], LICENCE: []}
        for _ in range(self.chance.randrange(3)):
            kind, feed = self.chance.choice([("P", PENALTY), ("L", LICENCE)])
            name = f"{kind}{self.chance.randrange(8)}"
            # Some may be used for a few days more only: five years from the finding (XY-03-001).
            decided = self.chance.choice([night, months_later(night, -60) + timedelta(days=4)])
            subject, withdrawn = f"person{self.chance.randrange(10)}", self.chance.random() < 0.25
            self.heads.records.setdefault(name, []).append((night, subject, decided, withdrawn))
            self.changes += 1
            changed = datetime(2026, 3, 1) + timedelta(minutes=self.changes)
            values = {"decision_date": decided, "updated_at": changed, "valid_until": date(2099, 12, 31)}
            by_feed[feed].append(Row(name, subject, values, withdrawn, subject_type="person"))
        for feed, rows in by_feed.items():
            if rows:
                deliver(feed, night, rows)


def _register_row(
    feed: str, name: str, group: str, values: dict[str, Any], changed: datetime, withdrawn: bool
) -> Row:
    delivered = {"district": values["district"], "updated_at": changed}
    left = values["left"]
    if feed == PEOPLE:
        delivered |= {"registered_on": values["joined"], "left_on": left}
    else:
        code = {"律师": "04", "教师": "10"}[group]
        last_day = left - timedelta(days=1) if left else None
        delivered |= {"group_code": code, "valid_from": values["joined"], "valid_until": last_day}
    return Row(name, values["subject"], delivered, withdrawn, subject_type="person")


@pytest.fixture
def build(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Build the coverage of a candidate, its data tests included."""

    def run(night: date, *arguments: str) -> int:
        candidate = publication.open_candidate(night)
        assert candidate is not None
        again(candidate.publication_id, night, *arguments)
        return candidate.publication_id

    def again(number: int, night: date, *arguments: str) -> None:
        project = PROJECT_DIR / "dbt_project"
        if not seeded:
            dbt(monkeypatch, project, number, night, "seed")
            seeded.append(True)
        dbt(monkeypatch, project, number, night, "run", "--select", "+population_coverage", *arguments)
        dbt(
            monkeypatch, project, number, night, "test", "--select", "population_coverage", "population_spell"
        )

    seeded: list[bool] = []
    run.again = again  # type: ignore[attr-defined]
    return run


def published(day: date) -> Counts:
    """What the readers' view says of a day."""
    with connect() as connection:
        rows = connection.execute(
            "select population, group_name, district, members, filed_members from mart.population_coverage"
            " where held_from <= %(day)s and (held_until is null or held_until >= %(day)s) and members > 0",
            {"day": day},
        ).fetchall()
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def test_coverage_on_every_day_is_a_count_of_heads(build: Any) -> None:
    registers = RandomRegisters(seed=1)
    last = FIRST
    for number in range(6):
        last = FIRST + timedelta(days=number)
        registers.one_night(last, last)
        candidate = build(last)
        if number % 3 == 1:
            # The first attempt failed, or everything built was thrown away: what was counted before stays the base.
            build.again(candidate, last)
        if number % 3 == 2:
            publication.discard(candidate, "test")
            candidate = build(last)
        publication.publish(candidate, "test")
        for day in (last - timedelta(days=back) for back in range(0, 70, 3)):
            assert published(day) == registers.heads.on(day), f"as of {day}, after {last}"

    # Nights in which nothing is delivered: stays end and records run out by themselves.
    later = last + timedelta(days=8)
    deliver(LICENCE, later, [])
    publication.publish(build(later), "test")
    days = [later - timedelta(days=back) for back in range(75)]
    by_nights = [published(day) for day in days]
    assert by_nights == [registers.heads.on(day) for day in days]

    deliver(LICENCE, later, [])
    publication.publish(build(later, "--full-refresh"), "test")
    assert [published(day) for day in days] == by_nights


def test_joined_and_departed_are_told_apart_from_moves(build: Any) -> None:
    def stay(record: str, district: str, joined: date, last_day: date | None) -> Row:
        values = {
            "group_code": "04",
            "district": district,
            "valid_from": joined,
            "valid_until": last_day,
            "updated_at": datetime(2026, 3, 2, 9),
        }
        return Row(record, "lawyer", values, subject_type="person")

    moved, ended = date(2026, 2, 1), date(2026, 2, 20)
    rows = [
        stay("A", "441302", date(2020, 1, 1), moved - timedelta(days=1)),
        stay("B", "441303", moved, ended - timedelta(days=1)),
    ]
    deliver(TRADES, FIRST, rows)
    publication.publish(build(FIRST), "test")
    with connect() as connection:
        found = connection.execute(
            "select district, held_from, joined, departed, members, filed_members, coverage_rate"
            " from mart.population_coverage order by held_from, district"
        ).fetchall()
    assert found == [
        ("441302", date(2020, 1, 1), 1, 0, 1, 0, 0),
        (CITY, date(2020, 1, 1), 1, 0, 1, 0, 0),
        ("441302", moved, 0, 1, 0, 0, None),
        ("441303", moved, 1, 0, 1, 0, 0),
        ("441303", ended, 0, 1, 0, 0, None),
        (CITY, ended, 0, 1, 0, 0, None),
    ]
