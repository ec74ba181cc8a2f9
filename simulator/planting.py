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
from simulator.place import Place
from simulator.rows import NULL_SPELLINGS, Violation
from simulator.schema import AUTHORITY, NO_NUMBER, Feed, Field, Kind, OneOf, Record, When

BAD_DATES = ("2022-09-31", "2019年1月", "20241305")
BAD_NUMBERS = ("约五万元", "12.3.4")
BAD_STAMPS = ("2026-03-02 25:10:00", "三月二日下午")
BAD_PATTERNS: dict[str, tuple[str, ...]] = {
    r"^\d{5}$": ("1010A",),
    r"^\d{6}$": ("44130X",),
    r"^\d{12}$": ("事证第1号",),
    r"^\d{15}$": ("4413020000",),
    r"^\d{4}(Q[1-4]|H[12])$": ("2025Q5",),
    r"^\d{4}(0[1-9]|1[0-2])$": ("202613",),
    # What stands in the column of the authority in harvested rows (DOMAIN.md §3.1).
    AUTHORITY: (
        "惠城市监罚〔2025〕12号",
        "6f1c2a9e-7b1d-4c55-9a57-0d6c1f5e2b11",
        "2022-09-31",
        "惠州市惠城区云山西路",
    ),
}
FORBIDDEN_TEXT = "（系低保户）"
"""What a clerk adds to the facts about a person and nobody may hold (DOMAIN.md §4.8)."""

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
def plants_of(feed: Feed, place: Place) -> tuple[Plant, ...]:
    """Every defect this feed can carry in a city, in a fixed order."""
    return tuple(_plants(feed, place))


def _plants(feed: Feed, place: Place) -> Iterator[Plant]:
    fields = feed.fields
    required = [f for f in fields if f.required]
    yield _blank(feed, required[len(required) // 2], None)
    yield _blank(feed, required[len(required) // 3], NULL_SPELLINGS[0])
    yield _blank(feed, required[-3], NULL_SPELLINGS[1])
    for f in fields:
        for when in f.required_when:
            yield _blank_when(feed, f, when, place)
    for group in feed.one_of:
        yield _empty_group(feed, group, place)
    if feed.party_fields:
        yield _hollow(feed)
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
        for spelling in BAD_PATTERNS[f.pattern] if f.pattern else ():
            yield _spelled("pattern", f, spelling)
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
            yield from _checks(feed, f, place)
    long = next((f for f in fields if f.max_length), None)
    if long:
        yield _too_long(long)
    yield from _unlawful(feed, place)


def _unless_guard(feed: Feed, f: Field) -> Callable[[Record], bool]:
    """Without ``f`` it is open whether an *unless f* condition holds, so the dependent fields must be filled."""
    dependants = [d.name for d in feed.fields if any(w.field == f.name and w.unless for w in d.required_when)]
    return lambda record: all(record[name] is not None for name in dependants)


def _blank(feed: Feed, f: Field, spelling: str | None) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        return record, {f.name: spelling}, (Violation("required", f.name),)

    return Plant("required", f.name, _unless_guard(feed, f), spoil)


def _blank_when(feed: Feed, f: Field, when: When, place: Place) -> Plant:
    def fits(record: Record) -> bool:
        return when.holds(record) and record[f.name] is not None

    def spoil(rng: random.Random, record: Record, _: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        changed = {**record, f.name: None}
        group = next((group.fields for group in feed.one_of if f.name in group.fields), ())
        if group:
            # The other half of the group is filled, so that only the condition is broken.
            other = next(name for name in group if name != f.name)
            changed[other] = _any_code(rng, feed.by_name[other], place)
        return changed, {f.name: None}, (Violation("required_when", f.name),)

    return Plant("required_when", f.name, fits, spoil)


def _any_code(rng: random.Random, f: Field, place: Place) -> str:
    if f.check == "uscc":
        return codes.make_uscc("91", place.home[0].code, f"QQ{rng.randrange(10**6):06d}")
    return codes.make_resident_id(
        place.resident_region, f"{rng.randrange(1960, 1990)}0612", rng.randrange(1000)
    )


def _empty_group(feed: Feed, group: OneOf, place: Place) -> Plant:
    def spoil(rng: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        blank: Raw = {name: None for name in group.fields}
        changed = {**record, **blank}
        if group.when and feed.person_field:
            # An organisation named by its representative's number alone.
            changed[feed.person_field] = _any_code(rng, feed.by_name[feed.person_field], place)
        conditions = tuple(
            Violation("required_when", name)
            for name in group.fields
            if any(when.holds(record) for when in feed.by_name[name].required_when)
        )
        return changed, blank, (Violation("one_of"), *conditions)

    return Plant("one_of", "", lambda record: group.when is None or group.when.holds(record), spoil)


def _hollow(feed: Feed) -> Plant:
    """A row that names a party and says nothing about it: neither licence nor penalty (DOMAIN.md §3.1)."""
    silent = [f for f in feed.fields if f.name not in (*feed.party_fields, "updated_at")]

    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        broken = tuple(Violation("required", f.name) for f in silent if f.required)
        return record, {f.name: None for f in silent}, broken

    return Plant("required", "", lambda record: True, spoil)


def _unlawful(feed: Feed, place: Place) -> Iterator[Plant]:
    """What the law and not the department forbids (DOMAIN.md §4.2, §4.7, §4.8)."""
    if feed.decided_on:
        yield _before_the_catalogue(feed, feed.decided_on, place)
    if feed.document:
        yield _spelled("no_document", feed.by_name[feed.document], NO_NUMBER)
    if feed.person_field:
        yield _minor(feed, feed.person_field, place)
        texts = [f for f in feed.fields if f.required and f.kind is Kind.TEXT and f.name not in feed.key]
        free = [f for f in texts if not (f.enum or f.pattern or f.check or f.max_length)]
        if free and not feed.is_register:
            yield _forbidden(feed, free[0])


def _before_the_catalogue(feed: Feed, decided: str, place: Place) -> Plant:
    only_persons = feed.uscc_field is None

    def spoil(rng: random.Random, record: Record, _: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        moved: Record = {decided: feed.collected_from - timedelta(days=rng.randrange(1, 300))}
        earliest = feed.by_name[decided]
        while earliest.not_before:
            moved[earliest.not_before] = moved[earliest.name] - timedelta(days=1)
            earliest = feed.by_name[earliest.not_before]
        if only_persons and feed.person_field and not feed.adults_on_delivery:
            # Of age even then, so that the day is all that is wrong.
            moved[feed.person_field] = codes.make_resident_id(
                place.resident_region, "19500612", rng.randrange(1000)
            )
        return {**record, **moved}, {}, (Violation("not_in_catalogue", decided),)

    def fits(record: Record) -> bool:
        return only_persons or feed.adults_on_delivery or not feed.is_person(record)

    return Plant("not_in_catalogue", decided, fits, spoil)


def _minor(feed: Feed, number: str, place: Place) -> Plant:
    def spoil(rng: random.Random, record: Record, today: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        counted_on: date = today if feed.adults_on_delivery else record[str(feed.decided_on)]
        born = f"{counted_on.year - rng.randrange(8, 17)}0612"
        child = codes.make_resident_id(place.resident_region, born, rng.randrange(1000))
        return {**record, number: child}, {}, (Violation("minor", number),)

    return Plant("minor", number, feed.is_person, spoil)


def _forbidden(feed: Feed, f: Field) -> Plant:
    def spoil(_: random.Random, record: Record, __: date) -> tuple[Record, Raw, tuple[Violation, ...]]:
        return record, {f.name: f"{record[f.name]}{FORBIDDEN_TEXT}"}, (Violation("forbidden"),)

    return Plant("forbidden", "", feed.is_person, spoil)


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

    def fits(record: Record) -> bool:
        # A wrong number may also stand where others leave the field blank.
        return (record[f.name] is not None or rule == "pattern") and guard(record)

    return Plant(rule, f.name, fits, spoil)


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


def _checks(feed: Feed, f: Field, place: Place) -> Iterator[Plant]:
    ways: dict[str, tuple[Callable[[str], str], ...]] = {
        "uscc": (codes.spoil_uscc_check, codes.spoil_uscc_inner),
        "resident_id": (codes.spoil_resident_id,),
        "org_code": (codes.spoil_org_code,),
        "registration_no": (codes.spoil_registration_no,),
        "tax_no": (codes.spoil_tax_no,),
    }
    for way in ways[str(f.check)]:

        def spoil(
            _: random.Random, record: Record, __: date, way: Callable[[str], str] = way
        ) -> tuple[Record, Raw, tuple[Violation, ...]]:
            code = record[f.name] or codes.make_registration_no(f"{place.home[0].code}00000001")
            return record, {f.name: way(code)}, (Violation(f"check_{f.check}", f.name),)

        # A register's newcomers have no old number; one that is wrong is wrong all the same.
        invented = f.check == "registration_no" and feed.person_field is None

        def fits(record: Record, invented: bool = invented) -> bool:
            return (invented and record[f.name] is None) or "*" not in (record[f.name] or "*")

        yield Plant(f"check_{f.check}", f.name, fits, spoil)
