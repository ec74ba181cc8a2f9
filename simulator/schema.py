"""How a department describes one of its own tables: columns, spellings and the rules its rows are meant to keep."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from simulator.world import Enterprise, Person, World

Record = dict[str, Any]
"""Field name → value as the department knows it: str, int, Decimal (元), date, datetime or None."""


KNOWN_BY_USCC = "_uscc"
"""Not delivered: whose the codes of a row without a USCC are."""
NO_NUMBER = "空"
"""What the items of 2016 ask for where a decision has no number (DOMAIN.md §3.1)."""


AUTHORITY = r"^[一-龥（）()]{3,60}(局|厅|部|委|会|府|院|队|所|心|室|处|站)$"
"""A body's full name, and no document number, code, date or address (DOMAIN.md §3.1)."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    AMOUNT = "amount"


class Medium(StrEnum):
    """How a feed leaves its department."""

    ZIPPED_CSV = "zipped_csv"
    CSV = "csv"
    WORKBOOK = "workbook"
    API = "api"
    TABLE = "table"


class DateStyle(StrEnum):
    """How a department spells a date (strftime)."""

    ISO = "%Y-%m-%d"
    COMPACT = "%Y%m%d"
    CHINESE = "%Y年%m月%d日"


@dataclass(frozen=True)
class When:
    """A condition on another field: it holds one of ``values`` (any part of a multi-valued field), or anything
    but one of ``unless``, or, with neither, is filled."""

    field: str
    values: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether ``record`` meets it; a null other field never does."""
        value = record.get(self.field)
        if value is None:
            return False
        parts = str(value).split(";")
        if self.unless:
            return not any(part in self.unless for part in parts)
        return not self.values or any(part in self.values for part in parts)


@dataclass(frozen=True)
class OneOf:
    """At least one of the fields is filled, in every row or in those of ``when``."""

    fields: tuple[str, ...]
    when: When | None = None


@dataclass(frozen=True)
class Field:
    """One column. ``header`` is what the delivery calls it; ``minimum``/``maximum`` speak of the delivered figure."""

    name: str
    header: str
    kind: Kind = Kind.TEXT
    required: bool = True
    enum: tuple[str, ...] = ()
    multi: bool = False
    pattern: str | None = None
    check: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    not_future: bool = False
    not_before: str | None = None
    required_when: tuple[When, ...] = ()
    ten_thousands: bool = False
    """Delivered in 万元; ``Record`` holds 元."""
    date_style: DateStyle = DateStyle.ISO

    def spell(self, value: Any) -> str | None:
        """``value`` as this department writes it."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, date):
            return value.strftime(self.date_style)
        if self.kind is Kind.AMOUNT:
            return f"{(Decimal(value) / 10_000).normalize():f}" if self.ten_thousands else f"{value:.2f}"
        return str(value)


@dataclass
class Draw:
    """What a new record is drawn from."""

    rng: random.Random
    world: World
    serial: int
    """Running number within the feed: makes document numbers unique."""
    day: date
    decided_on: date
    enterprise: Enterprise
    person: Person | None
    """The party, if a natural person; then ``enterprise`` only lends its region."""
    known: Record | None = None
    """A record the new one is about: the decision told again in another generation, the record a change speaks of."""
    earlier: Record | None = None
    """The change this one follows: an objection to be decided, a repair to be taken back."""

    def amount(self, low: int, high: int) -> Decimal:
        """元 with two decimals."""
        return Decimal(self.rng.randrange(low * 100, high * 100)) / 100


@dataclass(frozen=True, eq=False, kw_only=True)
class Feed:
    """One feed and how its rows come to be.

    ``new`` makes a valid record for a draw (``updated_at`` is set by the city); ``amend`` returns the changes of a
    correction, never touching the key and always leaving the record valid.
    """

    id: str
    title: str
    medium: Medium
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    new: Callable[[Draw], Record]
    amend: Callable[[random.Random, Record, date], Record]
    initial_rows: int
    nightly_rows: int
    """New rows per night; both counts are for 2,000 enterprises and scale with the city."""
    collected_from: date
    """Since when the catalogue has the item: nobody may collect earlier decisions."""
    withdrawal: tuple[str, str] | None = None
    decided_on: str | None = None
    document: str | None = None
    """Document without whose number the record may not be held against anybody."""
    record_as: str | None = None
    """Feed that tells the same decisions in another generation of the standard."""
    target: str | None = None
    """Feed whose records this one tells changes of."""
    first_organisation: int | None = None
    """Where in the world the organisations of this register begin, if it is not that of enterprises."""
    is_register: bool = False
    adults_on_delivery: bool = False
    """Age is judged on the day of delivery, for nothing was decided about the person."""
    """Everybody in it is known by it; its persons are adults on the day it is sent."""
    party_in_key: bool = False
    unnumbered: tuple[str, ...] = ()
    """Stand in the key for a document number written 空."""
    one_of: tuple[OneOf, ...] = ()
    uscc_field: str | None = "uscc"
    other_codes: tuple[str, ...] = ()
    """Further codes of organisations, in the order in which they count."""
    party_fields: tuple[str, ...] = ()
    """All a row says about the party, where rows come that say nothing else."""
    organisation_if: tuple[str, ...] = ()
    """Any of these filled: the person's number is the representative's."""
    person_field: str | None = None
    persons_share: float = 0.0
    masked_share: float = 0.0
    by_serial: bool = False
    """Subjects are taken in turn and not at random, for keys made of the subject."""
    rows_per_subject: int = 1
    by_name: dict[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {f.name: f for f in self.fields})

    @property
    def source(self) -> str:
        return self.id.split(".", 1)[0]

    @property
    def name(self) -> str:
        return self.id.split(".", 1)[1]

    @property
    def key_space(self) -> str:
        """Feed under whose name the records are counted."""
        return self.record_as or self.id

    def is_person(self, record: Record) -> bool:
        """Whether the record is about a natural person."""
        if self.person_field is None or record[self.person_field] is None:
            return False
        return not any(record.get(str(name)) for name in (self.uscc_field, *self.organisation_if))

    def subject(self, record: Record) -> str | None:
        """USCC of the organisation, also where the row carries another code of it, else resident ID of the person."""
        if self.is_person(record):
            return str(record[str(self.person_field)])
        uscc = record.get(self.uscc_field) if self.uscc_field else None
        return record.get(KNOWN_BY_USCC, uscc)

    def party(self, record: Record) -> str:
        """The party as the key has it: an organisation by its organisation code."""
        for name in (self.uscc_field, *self.other_codes):
            if code := record.get(str(name)):
                return str(code[8:17] if len(code) == 18 else code.replace("-", ""))
        return str(record.get(str(self.person_field)))

    def natural_key(self, record: Record) -> tuple[str, ...]:
        """Values of the natural key, with the party where it is part of it."""
        instead = tuple(str(record[name]) for name in self.unnumbered)
        parts = tuple(
            "|".join(instead) if instead and record[name] == NO_NUMBER else str(record[name])
            for name in self.key
        )
        return (*parts, self.party(record)) if self.party_in_key else parts

    def is_withdrawal(self, record: Record) -> bool:
        return self.withdrawal is not None and record[self.withdrawal[0]] == self.withdrawal[1]


def text(name: str, header: str | None = None, **terms: Any) -> Field:
    return Field(name, header or name, **terms)


def day(name: str, header: str | None = None, **terms: Any) -> Field:
    return Field(name, header or name, Kind.DATE, **terms)


def number(name: str, header: str | None = None, **terms: Any) -> Field:
    return Field(name, header or name, Kind.INTEGER, **terms)


def amount(name: str, header: str | None = None, **terms: Any) -> Field:
    return Field(name, header or name, Kind.AMOUNT, **{"minimum": 0, **terms})


def stamp(name: str, header: str | None = None) -> Field:
    return Field(name, header or name, Kind.TIMESTAMP)
