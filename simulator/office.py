"""Generates nights into the departments' systems and keeps what a restart needs.

A home holds ``simulator.json`` (see ``config``), ``state.json``, the SFTP roots ``court/``, ``market_regulation/``
and ``data_administration/``, ``tax.sqlite3`` and ``answer_keys/<date>/answer_key.json``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from simulator import answer_key
from simulator.answer_key import BrokenRule, FeedNight, NightKey, PlantedRow
from simulator.city import City
from simulator.config import Config
from simulator.deliveries import FOLDERS, write_delivery
from simulator.exchange import Exchange
from simulator.faults import Fault, FaultKind
from simulator.feeds import FEEDS
from simulator.place import place_of
from simulator.rows import Row
from simulator.schema import Feed, Medium
from simulator.servers.board import FaultBoard
from simulator.tax_store import TaxStore

_FILES = (Medium.ZIPPED_CSV, Medium.CSV, Medium.WORKBOOK)
_NOTHING = (FaultKind.NOT_DELIVERED, FaultKind.EMPTY_FILE)


class Struck(BaseModel):
    """A delivery fault that struck, until the delivery is sent again."""

    model_config = ConfigDict(extra="forbid")

    business_date: date
    feed: str
    kind: FaultKind


class State(BaseModel):
    """What survives a restart."""

    model_config = ConfigDict(extra="forbid")

    generated_through: date | None = None
    armed: list[Fault] = []
    struck: list[Struck] = []


class Office:
    """The departments' back offices: everything behind their servers. Safe to use from several threads.

    Args:
        exchange: None leaves social security out (its rows are made and counted, but written nowhere).
    """

    def __init__(self, home: Path, config: Config, exchange: Exchange | None = None) -> None:
        self.home = home
        self.config = config
        self.exchange = exchange
        self.state = self._read_state()
        self.board = FaultBoard(self.state.armed)
        self.store = TaxStore(home / "tax.sqlite3")
        self._lock = threading.RLock()
        self._city: City | None = None

    def close(self) -> None:
        """Keep the state and let go of the store."""
        with self._lock:
            self.save_state()
            self.store.close()

    def root(self, source: str) -> Path:
        """The folder an SFTP source serves as ``/``."""
        return self.home / source

    def prepare(self) -> None:
        """Folders and exchange tables; nights the exchange database has not seen are written to it again."""
        for source, folder in FOLDERS.items():
            (self.root(source) / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.exchange is not None:
            self.exchange.prepare()
            self._catch_up_exchange(self.exchange)

    def advance(self, through: date) -> list[NightKey]:
        """Generate every night up to ``through``; returns the keys of those that were new."""
        made: list[NightKey] = []
        with self._lock:
            try:
                city = self._current_city()
                while city.next_night <= through:
                    made.append(self._night(city))
            except BaseException:
                # A half-made night has moved the city on: the next call starts from the last whole one.
                self._city = None
                raise
        return made

    def redeliver(self, feed_id: str, day: date) -> None:
        """The department sends a night's delivery again, without fault, under the same name.

        Raises:
            LookupError: no such feed, or the night has not been generated.
        """
        with self._lock:
            if feed_id not in FEEDS:
                raise LookupError(f"no feed {feed_id!r}; feeds: {', '.join(FEEDS)}")
            feed = FEEDS[feed_id]
            if self.state.generated_through is None or day > self.state.generated_through:
                raise LookupError(f"{day} has not been generated yet")
            struck = self._struck(feed, day)
            rows = self._rows_of(feed, day)
            if feed.medium is not Medium.TABLE:
                self._write(feed, day, rows, None)
            elif struck and self.exchange is not None:
                withheld = islice(rows, 0 if struck.kind in _NOTHING else 1, None)
                self.exchange.redeliver(feed_id, day, withheld)
            if struck:
                self.state.struck.remove(struck)
                self.save_state()
            key = answer_key.load_night(self.home, day)
            key.feeds[feed_id].redelivered = True
            answer_key.save(key, self.home)

    def save_state(self) -> None:
        """Write ``state.json``."""
        self.state.armed = self.board.armed()
        partial = self.home / "state.partial"
        partial.write_text(self.state.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(self.home / "state.json")

    def _read_state(self) -> State:
        path = self.home / "state.json"
        return State.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else State()

    def _current_city(self) -> City:
        if self._city is None:
            self._city = new_city(self.config)
            while self.state.generated_through and self._city.next_night <= self.state.generated_through:
                self._city.run_night()
        return self._city

    def _night(self, city: City) -> NightKey:
        day = city.next_night
        faults = {feed_id: self.board.take_delivery_fault(feed_id) for feed_id in FEEDS}
        struck = [Struck(business_date=day, feed=f, kind=fault.kind) for f, fault in faults.items() if fault]
        kinds = {hit.feed: hit.kind for hit in struck}
        tables: dict[str, Iterable[Row]] = {}
        for feed in FEEDS.values():
            rows = city.deliver(feed, day)
            if feed.medium is Medium.TABLE:
                tables[feed.id] = _withheld(rows, kinds.get(feed.id))
            else:
                self._write(feed, day, rows, kinds.get(feed.id))
        if self.exchange is not None:
            self.exchange.write_night(day, tables)
        for table in tables.values():
            _drain(table)
        key = city.close_night()
        for feed_id, kind in kinds.items():
            key.feeds[feed_id].fault = kind
        answer_key.save(key, self.home)
        self.state.generated_through = day
        self.state.struck += struck
        self.save_state()
        return key

    def _write(self, feed: Feed, day: date, rows: Iterator[Row], fault: FaultKind | None) -> None:
        if feed.medium in _FILES:
            folder = self.root(feed.source) / FOLDERS[feed.source] / f"{day:%Y%m%d}"
            write_delivery(feed, day, rows, folder, fault)
        else:
            self.store.replace_night(feed.id, day, _items(feed, rows, fault))
        _drain(rows)

    def _struck(self, feed: Feed, day: date) -> Struck | None:
        return next((s for s in self.state.struck if (s.feed, s.business_date) == (feed.id, day)), None)

    def _rows_of(self, feed: Feed, day: date) -> Iterator[Row]:
        city = new_city(self.config)
        while city.next_night < day:
            city.run_night()
        for earlier in FEEDS.values():
            if earlier is feed:
                break
            _drain(city.deliver(earlier, day))
        return city.deliver(feed, day)

    def _catch_up_exchange(self, exchange: Exchange) -> None:
        through = self.state.generated_through
        if through is None:
            return
        written = exchange.nights()
        city = new_city(self.config)
        if all(day in written for day in _days(self.config.first_night, through)):
            return
        while city.next_night <= through:
            day = city.next_night
            tables: dict[str, Iterable[Row]] = {}
            for feed in FEEDS.values():
                rows = city.deliver(feed, day)
                if feed.medium is Medium.TABLE:
                    struck = self._struck(feed, day)
                    tables[feed.id] = _withheld(rows, struck.kind if struck else None)
                else:
                    _drain(rows)
            exchange.write_night(day, tables)
            for table in tables.values():
                _drain(table)
            city.close_night()


def new_city(config: Config) -> City:
    """The city of a configuration, before its first night."""
    return City(config.seed, config.enterprises, config.persons, config.first_night, place_of(config.city))


def taken_together(config: Config, feed_id: str, first: date, last: date) -> FeedNight:
    """What becomes of the nights ``first`` to ``last`` of a feed when they are taken as one delivery, as after nights
    on which the source was down: a record that changed twice counts ``duplicate_key`` for all but its last row.

    Fills delivered, accepted, quarantined, rules and planted; the other counts stay 0.
    """
    city, feed = new_city(config), FEEDS[feed_id]
    rows: list[Row] = []
    while city.next_night <= last:
        day = city.next_night
        for current in FEEDS.values():
            if current is feed and day >= first:
                rows += city.deliver(current, day)
            else:
                _drain(city.deliver(current, day))
        city.close_night()
    newest = {feed.natural_key(row.record): index for index, row in enumerate(rows) if not row.violations}
    night = FeedNight(feed=feed_id, business_date=last, delivered=len(rows))
    for index, row in enumerate(rows):
        broken = [BrokenRule(rule=v.rule, field=v.field) for v in row.violations]
        if not broken and newest[feed.natural_key(row.record)] != index:
            broken = [BrokenRule(rule="duplicate_key", field="")]
        if broken:
            planted = PlantedRow(source_row=index + 1, broken=broken)
            night.planted.append(planted)
            for rule in planted.rules:
                night.rules[rule] = night.rules.get(rule, 0) + 1
    night.quarantined = len(night.planted)
    night.accepted = night.delivered - night.quarantined
    return night


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _drain(rows: Iterable[Row]) -> None:
    for _ in rows:
        pass


def _withheld(rows: Iterator[Row], fault: FaultKind | None) -> Iterator[Row]:
    """The rows that reach the receiver; all of them are made."""
    shown = 0 if fault in _NOTHING else 1 if fault is FaultKind.ONE_ROW else None
    for index, row in enumerate(rows):
        if shown is None or index < shown:
            yield row


def _items(feed: Feed, rows: Iterator[Row], fault: FaultKind | None) -> Iterator[tuple[str, dict[str, Any]]]:
    required = next(f.name for f in feed.fields if f.required and f.name not in feed.key)
    optional = [f.name for f in feed.fields if not f.required and not f.required_when]
    for index, row in enumerate(_withheld(rows, fault)):
        item = row.item(feed)
        match fault:
            case FaultKind.RENAMED_COLUMN:
                item = {f"{name}_1" if name == required else name: value for name, value in item.items()}
            case FaultKind.EXTRA_COLUMN:
                item["reserved_1"] = "备用"
            case FaultKind.MISSING_COLUMN:
                del item[required]
            case FaultKind.MISSING_OPTIONAL_COLUMN if optional:
                del item[optional[-1]]
            case FaultKind.REORDERED_COLUMNS:
                item = dict(reversed(item.items()))
            case FaultKind.NESTED_JSON if index == 0:
                item["taxpayer_name"] = {"full": item["taxpayer_name"], "former": []}
        yield row.stamp.strftime("%Y-%m-%d %H:%M:%S"), item
