"""The city night by night: what every feed delivers, as a function of (seed, date) and the nights before.

Nights are made in order from the first one; a city asked for 5 March makes 2, 3 and 4 March on the way, so one by one
and all at once give the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from simulator.answer_key import BrokenRule, FeedNight, FeedTruth, NightKey, PlantedRow, SubjectTruth
from simulator.codes import mask_resident_id
from simulator.feeds import FEEDS, REGISTER, REGISTERS
from simulator.feeds.changes import FOLLOWS, MAY_BE_FOLLOWED
from simulator.place import HUIZHOU, Place
from simulator.planting import Plant, plants_of
from simulator.rows import NULL_SPELLINGS, Row, RowKind, Violation
from simulator.schema import DateStyle, Draw, Feed, Kind, Medium, Record
from simulator.world import FIRST_STRANGER, Enterprise, Person, World

FIRST_NIGHT = date(2026, 3, 2)
REFERENCE_ENTERPRISES = 2_000
_LEAST_INITIAL_ROWS = 120
_LEAST_ROWS_PER_DEFECT = 5
"""Even of a small city an initial load stays within the office's reject budget."""
_LEAST_NIGHTLY_ROWS = 8
_POOL_LIMIT = 20_000
"""Live records per feed kept at hand for corrections: bounds memory in a big city."""
_BACKLOG = timedelta(days=30)
"""The initial load was written to the departments' systems over this long."""
_SAMPLED_SUBJECTS = 25
_TOLD_TWICE = 0.3
"""Share of decisions in the older items that the newer ones have told already."""
_SETTLED = 0.4
"""Share of changes that settle an earlier one: an objection is decided, a repair taken back."""
_BEFORE_ITS_RECORD = 0.1
_NEVER_SENT = 10_000_000
"""Serial numbers from here on are used for documents no feed ever delivers."""


class Slot(StrEnum):
    """What one place in a delivery is filled with."""

    OLD = "old"
    RECENT = "recent"
    STRANGER = "stranger"
    DEFECT = "defect"
    FIX = "fix"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    RESENT = "resent"
    RESENT_SUPERSEDED = "resent_superseded"
    TWIN_EXACT = "twin_exact"
    TWIN_CHANGED = "twin_changed"


@dataclass
class _Version:
    """Latest accepted version of one natural key."""

    feed: str
    """Feed that told it: one of two generations may correct the other."""
    updated_at: datetime
    withdrawn: bool
    subject: str | None


@dataclass
class _FeedState:
    """What a department remembers of one feed."""

    serial: int = 0
    pool: list[Record] = field(default_factory=list)
    superseded: list[Record] = field(default_factory=list)
    backlog_to_fix: list[Record] = field(default_factory=list)
    fresh_to_fix: list[Record] = field(default_factory=list)
    versions: dict[tuple[str, ...], _Version] = field(default_factory=dict)


class City:
    """All departments of one city.

    Args:
        seed: with the two sizes it decides everything.
        enterprises: size of the register in the initial load; all feeds scale with it.
        persons: natural persons records are made about.
    """

    def __init__(
        self,
        seed: int = 2026,
        enterprises: int = 2_000,
        persons: int = 3_000,
        first_night: date = FIRST_NIGHT,
        place: Place = HUIZHOU,
    ) -> None:
        self.seed = seed
        self.first_night = first_night
        self.world = World(seed, enterprises, persons, place)
        self.next_night = first_night
        self._states = {feed_id: _FeedState() for feed_id in FEEDS}
        self._tallies: dict[str, FeedNight] = {}
        self._hot = [self._in_turn(index, 1_213) for index in range(_SAMPLED_SUBJECTS)]

    def _in_turn(self, number: int, step: int) -> int:
        """A walk over the initial register that visits everyone before anyone twice."""
        enterprises = self.world.enterprises
        while enterprises % step == 0:
            step += 2
        return number * step % enterprises

    @property
    def _scale(self) -> float:
        return self.world.enterprises / REFERENCE_ENTERPRISES

    def deliver(self, feed: Feed, day: date) -> Iterator[Row]:
        """The rows of ``feed`` on night ``day``, in delivered order.

        Must be drained, feed by feed in the order of ``FEEDS``; then ``close_night`` gives the key.
        """
        if day != self.next_night:
            raise ValueError(f"the next night is {self.next_night}, not {day}")
        tally = FeedNight(feed=feed.id, business_date=day)
        for row in _Delivery(self, feed, day).rows():
            self._count(feed, row, tally)
            yield row
        self._tallies[feed.id] = tally

    def close_night(self) -> NightKey:
        """The answer key of the night whose feeds have all been delivered; moves on to the next one."""
        missing = FEEDS.keys() - self._tallies.keys()
        if missing:
            raise RuntimeError(f"{self.next_night}: not delivered yet: {', '.join(sorted(missing))}")
        key = NightKey(
            business_date=self.next_night,
            seed=self.seed,
            enterprises=self.world.enterprises,
            persons=self.world.persons,
            feeds=self._tallies,
            truth={feed_id: self._truth(feed_id) for feed_id in FEEDS},
            subjects=self._sampled_subjects(),
        )
        self._tallies = {}
        self.next_night += timedelta(days=1)
        return key

    def run_night(self) -> NightKey:
        """Make the next night for nobody: its rows are not kept."""
        for feed in FEEDS.values():
            for _ in self.deliver(feed, self.next_night):
                pass
        return self.close_night()

    def _truth(self, feed_id: str) -> FeedTruth:
        space = self._states[FEEDS[feed_id].key_space].versions.values()
        versions = [version for version in space if version.feed == feed_id]
        withdrawn = sum(version.withdrawn for version in versions)
        return FeedTruth(live=len(versions) - withdrawn, withdrawn=withdrawn)

    def _sampled_subjects(self) -> list[SubjectTruth]:
        live: dict[str, dict[str, int]] = {self.world.enterprise(index).uscc: {} for index in self._hot}
        for state in self._states.values():
            for version in state.versions.values():
                if version.subject in live and not version.withdrawn:
                    counts = live[str(version.subject)]
                    counts[version.feed] = counts.get(version.feed, 0) + 1
        return [SubjectTruth(uscc=uscc, live=counts) for uscc, counts in live.items()]

    def _count(self, feed: Feed, row: Row, tally: FeedNight) -> None:
        tally.delivered += 1
        if row.violations:
            tally.quarantined += 1
            broken = [BrokenRule(rule=v.rule, field=v.field) for v in row.violations]
            planted = PlantedRow(source_row=tally.delivered, broken=broken)
            tally.planted.append(planted)
            for rule in planted.rules:
                tally.rules[rule] = tally.rules.get(rule, 0) + 1
            return
        tally.accepted += 1
        tally.null_spellings += sum(spelling in NULL_SPELLINGS for spelling in row.raw.values())
        record, versions = row.record, self._states[feed.key_space].versions
        key = feed.natural_key(record)
        known = versions.get(key)
        if (
            known is None
            and feed.decided_on
            and record[feed.decided_on] <= tally.business_date - timedelta(days=50)
        ):
            tally.late += 1
        if known is None or record["updated_at"] >= known.updated_at:
            versions[key] = _Version(
                feed.id, record["updated_at"], feed.is_withdrawal(record), feed.subject(record)
            )
        match row.kind:
            case RowKind.NEW:
                tally.new += 1
            case RowKind.FIX:
                tally.fixed += 1
            case RowKind.CORRECTION:
                tally.corrections += 1
            case RowKind.WITHDRAWAL:
                tally.withdrawals += 1
            case RowKind.RESENT:
                tally.resent += 1
        if row.masked:
            tally.masked += 1
        elif feed.is_person(record):
            tally.persons += 1
        elif any((feed.subject(record),) in self._states[register.id].versions for register in REGISTERS):
            tally.matched += 1
        else:
            tally.unknown_subject += 1


def _unsettled(pool: list[Record]) -> list[Record]:
    """Changes that another one may follow, each once."""
    followed = {record.get(FOLLOWS) for record in pool}
    return [r for r in pool if r.get(MAY_BE_FOLLOWED) and r["change_no"] not in followed]


class _Delivery:
    """Makes the rows of one feed on one night."""

    def __init__(self, city: City, feed: Feed, day: date) -> None:
        self.city = city
        self.world = city.world
        self.feed = feed
        self.day = day
        self.initial = day == city.first_night
        self.state = city._states[feed.id]
        self.registered = max(city._states[REGISTER.id].serial, 1)
        self.rng = random.Random(f"{city.seed}:{day}:{feed.id}")
        self.added: list[Record] = []
        self.removed: list[Record] = []
        self.plants = self._tonights_plants()
        self.told: set[tuple[str, ...]] = set()
        self.unsettled: list[Record] = []

    def _tonights_plants(self) -> list[Plant]:
        plants = plants_of(self.feed, self.world.place)
        if self.initial:
            return list(plants)
        tonight = (self.day - self.city.first_night).days
        return [plants[(tonight + half * len(plants) // 2) % len(plants)] for half in range(2)]

    def _plan(self) -> list[Slot]:
        feed, rng, scale = self.feed, self.rng, self.city._scale
        defects = [Slot.DEFECT] * len(self.plants)
        if self.initial:
            least = max(_LEAST_INITIAL_ROWS, _LEAST_ROWS_PER_DEFECT * len(defects))
            least = 0 if feed is REGISTER else least
            count = round(max(feed.initial_rows * scale, least)) - len(defects) - 4
            strangers = 0 if feed.is_register else max(3, count // 40)
            recents = count // 10
            old = [Slot.STRANGER] * strangers + [Slot.OLD] * (count - recents - strangers)
            old += defects + [Slot.TWIN_EXACT] * 2
            recent = [Slot.RECENT] * recents + [Slot.TWIN_CHANGED] * 2
            rng.shuffle(old)
            rng.shuffle(recent)
            # Recent decisions last: their rows were written in the last days of the backlog.
            return old + recent
        new = max(_LEAST_NIGHTLY_ROWS, round(feed.nightly_rows * scale))
        slots = (
            [Slot.RECENT] * (new - new // 10 - 1)
            + [Slot.OLD] * (new // 10 + 1)
            + [Slot.STRANGER] * (0 if feed.is_register else max(1, new // 20))
            + [Slot.CORRECTION] * max(2, new // 6)
            + [Slot.WITHDRAWAL] * (max(1, new // 20) if feed.withdrawal else 0)
            + [Slot.RESENT] * max(1, new // 20)
            + [Slot.RESENT_SUPERSEDED] * self._resends_superseded
            + [Slot.FIX] * (len(self.state.fresh_to_fix) + bool(self.state.backlog_to_fix))
            + [Slot.TWIN_EXACT, Slot.TWIN_CHANGED]
            + defects
        )
        rng.shuffle(slots)
        return slots

    @property
    def _resends_superseded(self) -> int:
        """Only files carry a superseded version again: an API or a change table always shows the newest."""
        return int(
            bool(self.state.superseded)
            and self.feed.medium in (Medium.ZIPPED_CSV, Medium.CSV, Medium.WORKBOOK)
        )

    def rows(self) -> Iterator[Row]:
        """The delivery; afterwards the department's memory is that of the next morning."""
        state, slots = self.state, self._plan()
        wanted = sum(slot in (Slot.CORRECTION, Slot.WITHDRAWAL, Slot.RESENT) for slot in slots)
        sample = self.rng.sample(state.pool, min(wanted, len(state.pool)))
        touched = {self.feed.natural_key(record) for record in sample}
        # One key must not come twice in a delivery unless it is planted.
        stale = [record for record in state.superseded if self.feed.natural_key(record) not in touched]
        self.told = touched | {self.feed.natural_key(record) for record in stale}
        self.unsettled = _unsettled(state.pool)
        picked = iter(sample)
        fixes = iter([*state.fresh_to_fix, *state.backlog_to_fix[:1]])
        state.backlog_to_fix = state.backlog_to_fix[1:]
        state.fresh_to_fix = []
        plants = iter(self.plants)
        last: list[Row] = []
        for position, slot in enumerate(slots):
            stamp = self._stamp(position, len(slots))
            match slot:
                case Slot.OLD | Slot.RECENT | Slot.STRANGER:
                    yield self._new(slot, stamp)
                case Slot.DEFECT:
                    yield self._defect(next(plants), stamp)
                case Slot.FIX:
                    yield self._keep(Row({**next(fixes), "updated_at": stamp}, RowKind.FIX, stamp))
                case Slot.TWIN_EXACT:
                    twin = self._new(Slot.OLD, stamp)
                    first = Row(
                        twin.record, twin.kind, stamp, twin.raw, (Violation("duplicate_key"),), twin.masked
                    )
                    yield from (first, twin)
                case Slot.TWIN_CHANGED:
                    first = self._new(Slot.RECENT, stamp, keep=False)
                    first.violations = (Violation("duplicate_key"),)
                    yield first
                    last.append(self._changed_twin(first, len(last)))
                case Slot.RESENT_SUPERSEDED:
                    if stale:
                        yield self._plain(Row(self.rng.choice(stale), RowKind.RESENT, stamp))
                case _:
                    source = next(picked, None)
                    if source is not None:
                        yield self._again(slot, source, stamp)
        yield from last
        self._remember()

    def _stamp(self, position: int, total: int) -> datetime:
        """When the department wrote the row: office hours of the day, or the weeks before for the initial load."""
        start = datetime.combine(self.day, time(8))
        end = datetime.combine(self.day, time(17, 30))
        if self.initial:
            start -= _BACKLOG
        return (start + (end - start) * (position / total)).replace(microsecond=0)

    def _decided(self, slot: Slot, stamp: datetime) -> date:
        if self.initial and slot is Slot.RECENT:
            return stamp.date() - timedelta(days=self.rng.randrange(2))
        if slot is Slot.RECENT or (slot is Slot.STRANGER and not self.initial):
            return self.day - timedelta(days=self.rng.randrange(4))
        if self.initial or slot is Slot.DEFECT:
            return self.day - timedelta(days=self.rng.randrange(50, 900))
        return self.day - timedelta(days=self.rng.randrange(50, 150))

    def _subject(self, slot: Slot) -> tuple[Enterprise, Person | None]:
        feed, rng = self.feed, self.rng
        if feed is REGISTER:
            return self.world.enterprise(self.state.serial), None
        if feed.first_organisation:
            return self.world.enterprise(feed.first_organisation + self.state.serial), None
        if slot is Slot.STRANGER:
            offset = 1_000_000 * list(FEEDS).index(feed.id)
            return self.world.enterprise(FIRST_STRANGER + offset + self.state.serial), None
        person = None
        if rng.random() < feed.persons_share:
            person = self.world.person(rng.randrange(self.world.persons))
        if feed.by_serial:
            step = 7 if feed.rows_per_subject == 1 else 3
            return self.world.enterprise(
                self.city._in_turn(self.state.serial // feed.rows_per_subject, step)
            ), person
        if rng.random() < 0.12:
            return self.world.enterprise(rng.choice(self.city._hot)), person
        return self.world.enterprise(rng.randrange(self.registered)), person

    def _draw(self, slot: Slot, stamp: datetime) -> Record:
        enterprise, person = self._subject(slot)
        draw = Draw(
            rng=self.rng,
            world=self.world,
            serial=self.state.serial,
            day=self.day,
            decided_on=self._decided(slot, stamp),
            enterprise=enterprise,
            person=person,
        )
        if self.feed.target:
            self._change(slot, draw)
        elif self.feed.record_as and slot in (Slot.OLD, Slot.RECENT) and self.rng.random() < _TOLD_TWICE:
            draw.known = self._told_elsewhere(self.feed.record_as)
        self.state.serial += 1
        return {**self.feed.new(draw), "updated_at": stamp}

    def _told_elsewhere(self, other: str) -> Record | None:
        """A decision the other generation of this item has told, and this delivery has not yet."""
        pool = self.city._states[other].pool
        known = self.rng.choice(pool) if pool else None
        if known is None or FEEDS[other].natural_key(known) in self.told:
            return None
        self.told.add(FEEDS[other].natural_key(known))
        return known

    def _change(self, slot: Slot, draw: Draw) -> None:
        """What the change is about: a live record, one rejected so far, or one nobody ever sends."""
        target = FEEDS[str(self.feed.target)]
        state = self.city._states[target.id]
        awaited = [*state.fresh_to_fix, *state.backlog_to_fix]
        if slot is Slot.STRANGER:
            draw.known = target.new(replace(draw, serial=_NEVER_SENT + draw.serial))
        elif slot is not Slot.DEFECT and self.unsettled and self.rng.random() < _SETTLED:
            draw.earlier = self.unsettled.pop()
        elif awaited and self.rng.random() < _BEFORE_ITS_RECORD:
            draw.known = self.rng.choice(awaited)
        else:
            decided = [r for r in state.pool if r[str(target.decided_on)] <= draw.decided_on]
            draw.known = self.rng.choice(decided or state.pool)

    def _new(self, slot: Slot, stamp: datetime, keep: bool = True) -> Row:
        row = Row(self._draw(slot, stamp), RowKind.NEW, stamp)
        person_field = self.feed.person_field
        if self.feed.masked_share and person_field and row.record[person_field]:
            row.masked = self.rng.random() < self.feed.masked_share
            if row.masked:
                row.record[person_field] = mask_resident_id(row.record[person_field])
        # Masked rows are never corrected later: nobody could tell whose they are.
        return self._keep(row) if keep and not row.masked else self._plain(row)

    def _keep(self, row: Row) -> Row:
        self.added.append(row.record)
        return self._plain(row)

    def _plain(self, row: Row) -> Row:
        """A clerk's habits: nothing written as 无, dates with slashes. Neither is a defect."""
        rng, feed, record = self.rng, self.feed, row.record
        files = feed.medium not in (Medium.API,)
        for f in feed.fields:
            value = record[f.name]
            if value is None:
                if not f.required and rng.random() < 0.06:
                    row.raw[f.name] = rng.choice(NULL_SPELLINGS)
            elif files and f.kind is Kind.DATE and f.date_style is DateStyle.ISO and rng.random() < 0.03:
                row.raw[f.name] = value.strftime("%Y/%m/%d")
        return row

    def _defect(self, plant: Plant, stamp: datetime) -> Row:
        serial = self.state.serial
        for attempt in range(3_000):
            # Some rules need a record with a history: after enough recent ones, try decisions of any age.
            record = self._draw(Slot.DEFECT if self.initial or attempt > 200 else Slot.RECENT, stamp)
            if plant.fits(record):
                break
            # The rejected draw never existed: its number is used again.
            self.state.serial = serial
        else:
            raise RuntimeError(f"{self.feed.id}: no record can carry {plant.rule} on {plant.field}")
        (self.state.backlog_to_fix if self.initial else self.state.fresh_to_fix).append(record)
        spoilt, raw, violations = plant.spoil(self.rng, record, self.day)
        return Row(spoilt, RowKind.NEW, stamp, raw, violations)

    def _changed_twin(self, first: Row, number: int) -> Row:
        stamp = datetime.combine(self.day, time(17, 35, number))
        changes = self.feed.amend(self.rng, first.record, self.day)
        twin = Row({**first.record, **changes, "updated_at": stamp}, RowKind.NEW, stamp, masked=first.masked)
        return self._plain(twin) if twin.masked else self._keep(twin)

    def _again(self, slot: Slot, source: Record, stamp: datetime) -> Row:
        """A correction or withdrawal of a live record, or the record once more."""
        self.removed.append(source)
        if slot is Slot.RESENT:
            touched = {**source, "updated_at": stamp} if self.feed.medium is Medium.API else source
            return self._keep(Row(touched, RowKind.RESENT, stamp))
        self.state.superseded = [*self.state.superseded[-49:], source]
        if slot is Slot.WITHDRAWAL and self.feed.withdrawal:
            name, value = self.feed.withdrawal
            return self._plain(Row({**source, name: value, "updated_at": stamp}, RowKind.WITHDRAWAL, stamp))
        changes = self.feed.amend(self.rng, source, self.day)
        return self._keep(Row({**source, **changes, "updated_at": stamp}, RowKind.CORRECTION, stamp))

    def _remember(self) -> None:
        gone = {id(record) for record in self.removed}
        pool = [record for record in self.state.pool if id(record) not in gone] if gone else self.state.pool
        if self.feed.record_as:
            # A decision told again replaces what was told before.
            pool = [*{self.feed.natural_key(record): record for record in pool + self.added}.values()]
        else:
            pool = pool + self.added
        self.state.pool = pool[:_POOL_LIMIT]
