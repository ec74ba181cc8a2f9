"""A generated year of a city's departments, written as intake would leave it, and kept as the truth to judge by."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from credit_warehouse.cities import load_cities
from credit_warehouse.database import connect

from .city import CONTRACTS, Row, answer, deliver, key_of

FIRST, LAST = date(2025, 3, 1), date(2026, 2, 28)
REGISTER = "market_regulation.enterprise_registration"
PENALTY = "market_regulation.administrative_penalty"
DEBTOR = "court.dishonest_judgment_debtor"
VIOLATION = "tax.major_tax_violation"
FEEDS = (REGISTER, PENALTY, DEBTOR, VIOLATION)
COUNTS = (
    "duplicate_rows", "required_cells", "required_filled_cells", "optional_cells", "optional_filled_cells",
    "checked_rows", "contradicted_rows",
)  # fmt: skip


@dataclass(frozen=True)
class City:
    """A city: the districts that stand in the names of its bodies, by name, and how often the tax office owes its
    report. The bodies of a county-level city are all its own."""

    code: str
    name: str
    districts: dict[str, str]
    tax_period: str

    def authority(self, chance: random.Random) -> str:
        return f"{self.name}{chance.choice((*self.districts, ''))}执法局"

    def district(self, authority: str) -> str:
        return next((code for place, code in self.districts.items() if place in authority), "city")


def _city(code: str, tax_period: str) -> City:
    city = load_cities()[code]
    districts = city.districts.items() if city.level == "prefecture" else ()
    return City(code, city.name, {name: district for district, name in list(districts)[:3]}, tax_period)


CITIES = (
    _city("huizhou", "monthly"),
    _city("xingning", "weekly"),
    _city("yulin", "quarterly"),
    _city("daoli", "half_yearly"),
    _city("baoshan", "yearly"),
)


@dataclass(frozen=True)
class Version:
    """One accepted row."""

    record: str
    subject: str | None
    name: str
    authority: str
    decided_on: date
    updated_at: datetime
    withdrawn: bool = False


@dataclass
class Delivery:
    """One batch. ``profile`` none = of before intake counted cells."""

    feed: str
    night: date
    dated: date
    rows: list[Version]
    rejected: list[str | None]
    """Authorities of the rejected rows; none = the row names none."""
    profile: dict[str, int] | None
    initial: bool
    refused: bool = False
    batch_id: int = 0
    returned: list[tuple[str | None, date | None]] = field(default_factory=list)
    """What became of the rejected rows, in their order, and when; none = still open."""

    @property
    def delivered(self) -> int:
        return len(self.rows) + len(self.rejected)


@dataclass
class Truth:
    """Everything that has happened so far."""

    deliveries: list[Delivery] = field(default_factory=list)
    answers: dict[tuple[str, date], str] = field(default_factory=dict)
    spot_checks: list[dict[str, Any]] = field(default_factory=list)
    declared: list[dict[str, Any]] = field(default_factory=list)
    outages: list[tuple[str, date, date]] = field(default_factory=list)
    zero_reports: list[tuple[str, date, date]] = field(default_factory=list)
    objections: list[dict[str, Any]] = field(default_factory=list)
    repairs: list[tuple[str, date, date]] = field(default_factory=list)


class Year:
    """Writes the year stage by stage; ``truth`` grows with it."""

    def __init__(self, city: City, seed: int) -> None:
        self.city, self.chance, self.truth = city, random.Random(seed), Truth()
        self.last: dict[str, Version] = {}
        self.entered = 0
        self.nights = {feed: self._nights(feed) for feed in FEEDS}

    def _nights(self, feed: str) -> list[date]:
        """About two deliveries a month; the second half of summer the tax office sends nothing."""
        days = [FIRST + timedelta(days=n) for n in range(0, (LAST - FIRST).days + 1)]
        nights = sorted(self.chance.sample(days, 24))
        return [
            night
            for night in nights
            if feed != VIOLATION or not date(2025, 7, 10) < night < date(2025, 9, 20)
        ]

    def play(self, after: date, until: date) -> None:
        """What happens after one day up to another, and now and then what was forgotten before it."""
        for feed in FEEDS:
            for night in [night for night in self.nights[feed] if after < night <= until]:
                self._deliver(feed, night)
            for _ in range(4):
                self._say(feed, self._day(after, until))
        if after > FIRST:
            self._deliver(PENALTY, after - timedelta(days=self.chance.randrange(20)))
        self._enter(after, until)
        self._change(after, until)

    def _day(self, after: date, until: date) -> date:
        return after + timedelta(days=self.chance.randrange(1, (until - after).days + 1))

    def _say(self, feed: str, night: date) -> None:
        state = self.chance.choice(["late", "unchanged"])
        answer(feed, night, state)
        self.truth.answers[feed, night] = state

    def _deliver(self, feed: str, night: date) -> None:
        dated = night - timedelta(days=self.chance.choice([0, 0, 0, self.chance.randrange(1, 15)]))
        rejected = [
            self.chance.choice([self.city.authority(self.chance)] * 3 + [None])
            for _ in range(self.chance.randrange(3))
        ]
        earlier = any(one.feed == feed and not one.refused for one in self.truth.deliveries)
        one = Delivery(
            feed, night, dated, [], rejected, None, initial=not earlier,
            refused=earlier and self.chance.random() < 0.1,
        )  # fmt: skip
        drafts = [] if earlier and self.chance.random() < 0.1 else list(self._versions(feed, night))
        one.rows = drafts
        if not drafts:
            one.rejected.clear()
        if self.chance.random() < 0.9:
            one.profile = self._profile(one.delivered)
        self._write(one)
        self.truth.deliveries.append(one)
        self.truth.answers[feed, night] = "refused" if one.refused else "succeeded"

    def _versions(self, feed: str, night: date) -> Iterator[Version]:
        for number in self.chance.sample(range(14), self.chance.randrange(1, 6)):
            record = f"{feed}/{number}"
            known = self.last.get(record)
            decided = night - timedelta(days=self.chance.choice([3, 6, 9, 12, 30, self.chance.randrange(60)]))
            person = feed == DEBTOR and number % 2
            yield Version(
                record,
                None if person else f"U{number}",
                # A register gives the name, others now and then another one.
                f"企业{number}" if feed == REGISTER or self.chance.random() < 0.7 else f"企业{number}误",
                self.city.authority(self.chance),
                known.decided_on if known and self.chance.random() < 0.5 else decided,
                datetime.combine(
                    night - timedelta(days=self.chance.randrange(3)), time(self.chance.randrange(24))
                ),
                withdrawn=bool(known) and self.chance.random() < 0.15,
            )

    def _profile(self, rows: int) -> dict[str, int]:
        required, optional = rows * 9, rows * 4
        return {
            "duplicate_rows": self.chance.randrange(rows + 1) // 2,
            "required_cells": required,
            "required_filled_cells": required - self.chance.randrange(required + 1) // 5,
            "optional_cells": optional,
            "optional_filled_cells": self.chance.randrange(optional + 1),
            "checked_rows": rows,
            "contradicted_rows": 0,
        }

    def _write(self, one: Delivery) -> None:
        contract = CONTRACTS[one.feed]
        record = contract.terms.record
        assert record is not None and record.authority_name is not None
        rows = [
            Row(
                version.record,
                version.subject,
                {
                    record.authority_name: version.authority,
                    record.decision_date: version.decided_on,
                    contract.terms.updated_field: version.updated_at,
                },
                version.withdrawn,
                "organisation" if version.subject else None,
                name=version.name,
            )
            for version in one.rows
        ]
        one.batch_id = deliver(one.feed, one.night, rows, one.dated, len(one.rejected), one.initial)
        for version in one.rows if not one.refused else []:
            self.last[version.record] = version
        with connect() as connection:
            for number, authority in enumerate(one.rejected, start=1001):
                payload = {contract.authority_header: authority} if authority else {"line": "无法识别"}
                connection.execute(
                    "insert into quarantine.rejected_row (batch_id, source_row, feed, payload, violations, is_key_whole)"
                    """ values (%s, %s, %s, %s, '[{"rule": "enum", "field": "", "error_code": 30003}]', true)""",
                    [one.batch_id, number, one.feed, Jsonb(payload)],
                )
                self._close(connection, one, number)
            if one.profile:
                # Some of the rejected rows are rejected for contradicting themselves.
                one.profile["contradicted_rows"] = self.chance.randrange(len(one.rejected) + 1)
                connection.cursor().executemany(
                    "insert into ops.batch_profile (batch_id, metric, value) values (%s, %s, %s)",
                    [(one.batch_id, metric, value) for metric, value in one.profile.items()],
                )
            if one.refused:
                connection.execute(
                    "update ops.batch set state = 'refused', refusal_code = 'gate', refused_rows = delivered_rows,"
                    " accepted_rows = 0, quarantined_rows = 0 where batch_id = %s",
                    [one.batch_id],
                )
        if one.refused:
            answer(one.feed, one.night, "refused")

    def _close(self, connection: psycopg.Connection, one: Delivery, number: int) -> None:
        """What becomes of a returned row: some stay open."""
        outcome = self.chance.choice([None, "corrected", "corrected", "rerejected", "ignored", "duplicate"])
        waited = 0 if outcome == "duplicate" else self.chance.randrange(14)
        closed_on = one.night + timedelta(days=waited) if outcome else None
        one.returned.append((outcome, closed_on))
        if outcome is None:
            return
        person = ("张", "无法补正") if outcome == "ignored" else (None, None)
        connection.execute(
            "update quarantine.rejected_row set outcome = %s, closing_id = nextval('quarantine.closing_id'), closed_on = %s,"
            " closed_batch_id = %s, closed_by = %s, closed_reason = %s where batch_id = %s and source_row = %s",
            [outcome, closed_on, None if person[0] else one.batch_id, *person, one.batch_id, number],
        )

    def _enter(self, after: date, until: date) -> None:
        """What officers enter; a wrong entry is answered by a second one with the same key."""
        for feed in FEEDS:
            owner = CONTRACTS[feed].terms.department.code
            for _ in range(3):
                checked = self.chance.randrange(1, 12)
                entry = {
                    "feed": feed, "sampled_on": self._day(after, until), "document_no": self._number("抽"),
                    "found": self.chance.random() < 0.8, "fields_checked": checked,
                    "fields_wrong": self.chance.randrange(checked + 1),
                }  # fmt: skip
                wrong = entry | {"found": not entry["found"], "fields_wrong": 0}
                for said in ([wrong] if self.chance.random() < 0.3 else []) + [entry]:
                    self._insert(
                        "spot_check", said | {"sampler": "省中心", "source": "实地", "department_code": owner}
                    )
                self.truth.spot_checks.append(entry)
            month = self._day(after, until).replace(day=1)
            if feed != DEBTOR and not any(
                one["feed"] == feed and one["month"] == month for one in self.truth.declared
            ):
                said = {"feed": feed, "month": month, "produced": self.chance.randrange(6)}
                self._insert("declared_production", said | {"source": "月报", "department_code": owner})
                self.truth.declared.append(said)
            zero_for = self._day(after, until)
            zero_on = min(zero_for + timedelta(days=self.chance.randrange(15)), until)
            self._insert(
                "zero_report",
                {
                    "feed": feed,
                    "reported_for": zero_for,
                    "reported_on": zero_on,
                    "source": "函",
                    "department_code": owner,
                },
            )
            self.truth.zero_reports.append((feed, zero_for, zero_on))
        start = self._day(after, until)
        outage = (
            self.chance.choice(["*", "tax", PENALTY]),
            start,
            start + timedelta(days=self.chance.randrange(6)),
        )
        said = dict(zip(("scope", "started_on", "ended_on"), outage, strict=True)) | {"reason": "检修"}
        self._insert("outage", said)
        self.truth.outages.append(outage)
        taken_back = said | {"started_on": start + timedelta(days=40), "ended_on": start + timedelta(days=50)}
        self._insert("outage", taken_back)
        self._insert("outage", taken_back | {"is_void": True})

    def _number(self, prefix: str) -> str:
        self.entered += 1
        return f"{prefix}{self.entered}号"

    def _insert(self, table: str, values: dict[str, Any]) -> None:
        said = values | {"document": self._number("函")}
        with connect() as connection:
            connection.execute(
                f"insert into ops.{table} ({', '.join(said)}) values ({', '.join(f'%({name})s' for name in said)})",
                said,
            )

    def _change(self, after: date, until: date) -> None:
        """Objections and repairs of records that are here."""
        newest = max(one.night for one in self.truth.deliveries)
        records = sorted({row.record for one in self.truth.deliveries if not one.refused for row in one.rows})
        for record in self.chance.sample(records, 5):
            feed = record.rsplit("/", 1)[0]
            filed = min(self._day(after, until), newest)
            number = self._number("异")
            closed = min(filed + timedelta(days=self.chance.randrange(40)), newest)
            kind = self.chance.choice(["objection_upheld", "objection_dismissed", None])
            self._event(record, "objection_filed", filed, objection_no=number)
            if kind:
                self._event(record, kind, closed, objection_no=number)
            self.truth.objections.append(
                {
                    "feed": feed,
                    "filed": filed,
                    "closed": closed if kind else None,
                    "upheld": kind == "objection_upheld",
                }
            )
        for record in self.chance.sample(records, 4):
            decided = min(self._day(after, until), newest)
            done = decided + timedelta(days=self.chance.randrange(9))
            self._event(
                record, "repair", decided, entered_at=datetime.combine(done, time(4)).isoformat() + "+08:00"
            )
            self.truth.repairs.append((record.rsplit("/", 1)[0], decided, done))

    def _event(self, record: str, kind: str, on: date, **more: Any) -> None:
        said = {
            "record_key": key_of(record.rsplit("/", 1)[0], record), "kind": kind, "effective_on": on,
            "document_no": "文", "reason": "理由", **more,
        }  # fmt: skip
        with connect() as connection:
            connection.execute(
                f"insert into ops.record_event ({', '.join(said)})"
                f" values ({', '.join(f'%({name})s' for name in said)})",
                said,
            )
