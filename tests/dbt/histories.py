"""Generated histories of records, and a plain reference that says what the law makes of each on a day.

The reference knows DOMAIN.md §4 and the catalogue's files, and nothing of the SQL: it walks one record at a time.
"""

from __future__ import annotations

import random
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from credit_warehouse.catalogue import Catalogue
from credit_warehouse.catalogue.model import DisplayRegime, DisplayRule

from .city import CONTRACTS

FIRST_NIGHT = date(2026, 2, 20)
NIGHTS = 70
"""Past 2026-04-01, when the display rules change."""

LAST_NIGHT = FIRST_NIGHT + timedelta(days=NIGHTS - 1)

PENALTY = "market_regulation.administrative_penalty"
DEBTOR = "court.dishonest_judgment_debtor"
LICENCE = "market_regulation.administrative_licence"
REMOVALS = ("revocation", "repair", "objection_upheld")


@dataclass(frozen=True)
class Version:
    """One delivered row of a record."""

    night: date
    updated_at: datetime
    decided_on: date
    withdrawn: bool = False
    valid_until: date | None = None
    removed_on: date | None = None
    display_until: date | None = None
    published_on: date | None = None


@dataclass(frozen=True)
class Event:
    """One change, entered on the day it takes effect."""

    on: date
    kind: str
    objection_no: str | None = None
    severity: str | None = None


@dataclass
class History:
    """One record: its versions in order of delivery, its events in order of entry."""

    name: str
    feed: str
    versions: list[Version]
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """What holds on a day: whether it may be looked up, whether it is displayed, whether it is marked."""

    queryable: bool
    displayed: bool = False
    marked: bool = False


NOWHERE = Standing(queryable=False)


def standing(history: History, day: date, catalogue: Catalogue) -> Standing:
    """What the rules say about a record on ``day``."""
    delivered = [version for version in history.versions if version.night <= day]
    if not delivered:
        return NOWHERE
    newest = max(delivered, key=lambda version: (version.updated_at, version.night))
    events = [event for event in history.events if event.on <= day]
    if newest.withdrawn or _is_removed(history, events, newest):
        return NOWHERE
    item = catalogue.item(CONTRACTS[history.feed].terms.catalogue_item)
    if not item.admits(newest.decided_on) or (item.withdrawn and item.withdrawn.on <= day):
        return NOWHERE
    version = item.version_on(newest.decided_on)
    assert version is not None
    severity = next(
        (event.severity for event in reversed(events) if event.kind == "severity_finding"), "未定"
    )
    shown_until = _shown_until(catalogue, version.display_class, severity or "未定", newest, day)
    over_on = min([end for end in (newest.removed_on, _after(newest.valid_until)) if end], default=None)
    start = newest.decided_on if version.use.starts == "finding" else over_on or shown_until
    if version.use.months is not None and start and months_later(start, version.use.months) < day:
        return NOWHERE
    displayed = not (over_on and over_on <= day) and not (shown_until and shown_until < day)
    filed = {event.objection_no for event in events if event.kind == "objection_filed"}
    closed = {
        event.objection_no for event in events if event.kind in ("objection_upheld", "objection_dismissed")
    }
    return Standing(queryable=True, displayed=displayed, marked=bool(filed - closed))


def _is_removed(history: History, events: list[Event], newest: Version) -> bool:
    decisive = [event for event in events if event.kind in (*REMOVALS, "correction", "reinstatement")]
    if not decisive:
        return False
    last = decisive[-1]
    if last.kind in REMOVALS:
        return True
    return last.kind == "correction" and newest.updated_at <= wrong_through(history, events)


def wrong_through(history: History, events: list[Event]) -> datetime:
    """What the record said when the objection was upheld is what is wrong: known from the night before."""
    upheld = [event for event in events if event.kind == "objection_upheld"][-1]
    known = [version for version in history.versions if version.night < upheld.on]
    if not known:
        return datetime.combine(upheld.on + timedelta(days=1), time())
    return max(known, key=lambda version: (version.updated_at, version.night)).updated_at


def _shown_until(
    catalogue: Catalogue, display_class: str, severity: str, newest: Version, day: date
) -> date | None:
    clock = next(entry for entry in catalogue.display_classes if entry.code == display_class)
    started = newest.published_on or newest.decided_on if clock.starts == "publication" else newest.decided_on
    then = next(regime for regime in clock.regimes if regime.holds_on(newest.decided_on))
    now = next(regime for regime in clock.regimes if regime.holds_on(day))
    ends = [newest.display_until, _end(then, severity, started)]
    if now is not then and now.takes_over == "shorter":
        later = _end(now, severity, started)
        ends.append(max(later, now.valid_from - timedelta(days=1)) if later else None)
    return min((end for end in ends if end is not None), default=None)


def _end(regime: DisplayRegime, severity: str, started: date) -> date | None:
    rule: DisplayRule = next((rule for rule in regime.rules if rule.severity == severity), regime.rules[0])
    if not rule.shown:
        return started - timedelta(days=1)
    return months_later(started, rule.max_months) if rule.max_months is not None else None


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _after(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


class Generator:
    """Histories with dates on both sides of every rule."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def history(self, number: int) -> History:
        feed = self.chance.choice([PENALTY, PENALTY, DEBTOR, LICENCE])
        decided = self._decided(feed)
        versions = [self._version(feed, decided, self._night())]
        while self.chance.random() < 0.4 and versions[-1].night < LAST_NIGHT:
            earlier = max(version.night for version in versions)
            night = min(earlier + timedelta(days=self.chance.randrange(1, 20)), LAST_NIGHT)
            versions.append(
                self._version(feed, self.chance.choice([decided, decided, self._decided(feed)]), night)
            )
        history = History(f"{feed}/{number}", feed, versions)
        self._add_events(history)
        return history

    def _night(self) -> date:
        return FIRST_NIGHT + timedelta(days=self.chance.choice([0, 0, self.chance.randrange(NIGHTS)]))

    def _decided(self, feed: str) -> date:
        """Often such that a clock runs out during these nights, or just outside what the catalogue admits."""
        turn = FIRST_NIGHT + timedelta(days=self.chance.randrange(-5, NIGHTS + 5))
        months = self.chance.choice([0, 3, 12, 24, 36, 60])
        day = months_later(turn, -months)
        if self.chance.random() < 0.04:
            item = CONTRACTS[feed].item
            day = item.versions[0].valid_from + timedelta(days=self.chance.choice([-1, 0]))
        return min(day, FIRST_NIGHT + timedelta(days=NIGHTS))

    def _version(self, feed: str, decided: date, night: date) -> Version:
        turn = FIRST_NIGHT + timedelta(days=self.chance.randrange(NIGHTS))
        penalty, debtor = feed == PENALTY, feed == DEBTOR
        return Version(
            night=night,
            # Sometimes an older version is delivered after a newer one.
            updated_at=datetime.combine(
                night - timedelta(days=self.chance.randrange(12)), time(self.chance.randrange(24), 30)
            ),
            decided_on=decided,
            withdrawn=self.chance.random() < 0.08,
            valid_until=None if debtor else self.chance.choice([date(2099, 12, 31), turn]),
            removed_on=turn if debtor and self.chance.random() < 0.4 else None,
            display_until=turn if penalty and self.chance.random() < 0.3 else None,
            published_on=decided if debtor else None,
        )

    def _add_events(self, history: History) -> None:
        """Such as the database accepts: an objection is filed before it is decided, only what is away comes back."""
        day, removed_by, opened, number = FIRST_NIGHT, None, None, 0
        while self.chance.random() < 0.55 and day < LAST_NIGHT:
            day = min(day + timedelta(days=self.chance.randrange(1, 15)), LAST_NIGHT)
            possible = ["revocation", "repair", "severity_finding"]
            possible += ["objection_upheld", "objection_dismissed"] if opened else ["objection_filed"]
            possible += ["reinstatement"] * 2 if removed_by else []
            possible += ["correction"] * 2 if removed_by == "objection_upheld" else []
            kind = self.chance.choice(possible)
            if kind == "objection_filed":
                number += 1
                opened = f"异议{number}"
            objection_no = opened if kind.startswith("objection") else None
            severity = (
                self.chance.choice(["轻微", "一般", "较重", "严重"]) if kind == "severity_finding" else None
            )
            history.events.append(Event(day, kind, objection_no, severity))
            if kind in ("objection_upheld", "objection_dismissed"):
                opened = None
            if kind in (*REMOVALS, "reinstatement", "correction"):
                removed_by = kind if kind in REMOVALS else None
