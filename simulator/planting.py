"""Defects of every row rule, planted so that the set of rules a row breaks is known beforehand.

Conventions shared with the intake: a blank or null spelling breaks only ``required``; a value that fails its type
breaks only the type rule; every other rule is judged on valid values; an empty one-of group breaks ``one_of`` and,
where its condition holds, ``required_when``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from simulator import codes
from simulator.rows import NULL_SPELLINGS, Violation
from simulator.schema import Feed, Field, Kind, Record, When

BAD_DATES = ("2022-09-31", "2019年1月", "20241305")
BAD_NUMBERS = ("约五万元", "12.3.4")
BAD_STAMPS = ("2026-03-02 25:10:00", "三月二日下午")
BAD_PATTERNS = {r"^\d{6}$": "44130X", r"^\d{4}(Q[1-4]|H[12])$": "2025Q5", r"^\d{4}(0[1-9]|1[0-2])$": "202613"}

Raw = dict[str, str | None]
Spoil = Callable[[random.Random, Record, date], tuple[Record, Raw, tuple[Violation, ...]]]


@dataclass(frozen=True)
class Plant:
    """One way to spoil a record. ``fits`` tells whether a valid record can carry it."""

    rule: str
    field: str
    fits: Callable[[Record], bool]
    spoil: Spoil


@cache
def plants_of(feed: Feed) -> tuple[Plant, ...]:
    """Every defect this feed can carry, in a fixed order."""
    return tuple(_plants(feed))


def _plants(feed: Feed) -> Iterator[Plant]:
    fields = feed.fields
    required = [f for f in fields if f.required]
    yield _blank(feed, required[len(required) // 2], None)
    yield _blank(feed, required[len(required) // 3], NULL_SPELLINGS[0])
    yield _blank(feed, required[-3], NULL_SPELLINGS[1])
    for f in fields:
        for when in f.required_when:
            yield _blank_when(feed, f, when)
    if feed.one_of:
        yield _empty_group(feed)
    dates = [f for f in fields if f.kind is Kind.DATE]
    for spelling, f in zip(BAD_DATES, (dates * 3)[: len(BAD_DATES)], strict=True):
        yield _spelled("type_date", f, spelling)
    numbers = [f for f in fields if f.kind in (Kind.AMOUNT, Kind.INTEGER)]
    for spelling, f in zip(BAD_NUMBERS, reversed(numbers), strict=False):
        yield _spelled("type_number", f, spelling)
    for spelling in BAD_STAMPS:
        yield _spelled("type_timestamp", feed.by_name["updated_at"], spelling)
    for f in fields:
        if f.enum:
            yield _spelled("enum", f, "未列明情形", guard=_unless_guard(feed, f), append=f.multi)
        if f.pattern:
            yield _spelled("pattern", f, BAD_PATTERNS[f.pattern])
        if f.kind in (Kind.AMOUNT, Kind.INTEGER) and f.minimum is not None:
            yield _spelled("range", f, str(f.minimum - 3))
        if f.maximum is not None:
            yield _spelled("range", f, str(f.maximum * 5))
        if f.not_before:
            yield _before(f, f.not_before)
        # With a required follower that may not lie ahead either, two rules would break at once.
        if f.not_future and not any(o.not_before == f.name and o.not_future and o.required for o in fields):
            yield _future(feed, f)
        if f.check:
            yield from _checks(f)
    long = next((f for f in fields if f.max_length), None)
    if long:
        yield _too_long(long)


def _unless_guard(feed: Feed, f: Field) -> Callable[[Record], bool]:
    """Without ``f`` it is open whether an *unless f* condition holds, so the dependent fields must be filled."""
    dependants = [d.name for d in feed.fields if any(w.field == f.name and w.unless for w in d.required_when)]
    return lambda record: all(record[name] is not None for name in dependants)


def _blank(feed: Feed, f: Field, spelling: str | None) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        return record, {f.name: spelling}, (Violation("required", f.name),)

    return Plant("required", f.name, _unless_guard(feed, f), spoil)


def _blank_when(feed: Feed, f: Field, when: When) -> Plant:
    def fits(record: Record) -> bool:
        return when.holds(record) and record[f.name] is not None

    def spoil(rng: random.Random, record: Record, _: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        changed = {**record, f.name: None}
        if f.name in feed.one_of:
            # The other half of the group is filled, so that only the condition is broken.
            other = next(name for name in feed.one_of if name != f.name)
            changed[other] = _any_code(rng, feed.by_name[other])
        return changed, {f.name: None}, (Violation("required_when", f.name),)

    return Plant("required_when", f.name, fits, spoil)


def _any_code(rng: random.Random, f: Field) -> str:
    if f.check == "uscc":
        return codes.make_uscc("91", "441302", f"QQ{rng.randrange(10**6):06d}")
    return codes.make_resident_id("441399", f"{rng.randrange(1960, 1990)}0612", rng.randrange(1000))


def _empty_group(feed: Feed) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        conditions = tuple(
            Violation("required_when", name)
            for name in feed.one_of
            if any(when.holds(record) for when in feed.by_name[name].required_when)
        )
        blank: Raw = {name: None for name in feed.one_of}
        return {**record, **blank}, blank, (Violation("one_of"), *conditions)

    return Plant("one_of", "", lambda record: True, spoil)


def _spelled(
    rule: str,
    f: Field,
    spelling: str,
    guard: Callable[[Record], bool] = lambda record: True,
    append: bool = False,
) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        value = f"{record[f.name]};{spelling}" if append else spelling
        return record, {f.name: value}, (Violation(rule, f.name),)

    return Plant(rule, f.name, lambda record: record[f.name] is not None and guard(record), spoil)


def _too_long(f: Field) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        value = str(record[f.name]).ljust((f.max_length or 0) + 10, "长")
        return record, {f.name: value}, (Violation("length", f.name),)

    return Plant("length", f.name, lambda record: record[f.name] is not None, spoil)


def _before(f: Field, other: str) -> Plant:
    def spoil(rng: random.Random, record: Record, _: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        earlier = record[other] - timedelta(days=rng.randrange(3, 60))
        return {**record, f.name: earlier}, {}, (Violation("date_order", f.name),)

    return Plant(
        "date_order", f.name, lambda record: record[f.name] is not None and record[other] is not None, spoil
    )


def _future(feed: Feed, f: Field) -> Plant:
    followers = [other for other in feed.fields if other.not_before == f.name]

    def fits(record: Record) -> bool:
        return record[f.name] is not None and not any(o.not_future and record[o.name] for o in followers)

    def spoil(rng: random.Random, record: Record, day: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        future = day + timedelta(days=rng.randrange(40, 200))
        moved = {o.name: future + timedelta(days=400) for o in followers if record[o.name]}
        return {**record, f.name: future, **moved}, {}, (Violation("not_future", f.name),)

    return Plant("not_future", f.name, fits, spoil)


def _checks(f: Field) -> Iterator[Plant]:
    ways: dict[str, tuple[Callable[[str], str], ...]] = {
        "uscc": (codes.spoil_uscc_check, codes.spoil_uscc_inner),
        "resident_id": (codes.spoil_resident_id,),
        "org_code": (codes.spoil_org_code,),
    }
    for way in ways[str(f.check)]:

        def spoil(
            _: random.Random, record: Record, __: date, way: Callable[[str], str] = way
        ) -> tuple[Record, Raw, tuple[Violation, ...]]:
            return record, {f.name: way(record[f.name])}, (Violation(f"check_{f.check}", f.name),)

        yield Plant(f"check_{f.check}", f.name, lambda record: "*" not in (record[f.name] or "*"), spoil)
