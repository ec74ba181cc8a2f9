"""A city of any size: what its departments deliver on the first night and on every night after it.

Every row is a pure function of (seed, feed, place), made set-wise in DuckDB and streamed to where it goes. Identifiers are
valid in form and impossible in fact as in :mod:`simulator.world`: organisation codes begin with ``QQ``, names of companies
with 拟, and resident IDs carry a region GB/T 2260 never assigned.

python -m bench.city FOLDER [--persons 1200000] [--night 0] writes the delivered files, one CSV per feed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import duckdb

from bench.city_feeds import REGISTERS, SHAPES, Shape
from credit_warehouse.contracts import load_contracts
from credit_warehouse.identity import duckdb as identity
from credit_warehouse.identity.codes import USCC_ALPHABET
from credit_warehouse.intake.rule import literal, quote
from simulator import vocabulary as words
from simulator.codes import make_uscc
from simulator.world import BODY_PREFIX, RESIDENT_REGION

FIRST_NIGHT = date(2026, 3, 2)
_NEW, _CORRECTED = 0.60, 0.35
"""Shares of a night's changes; the rest is taken back."""
_STRIDE = 7_368_787
"""A prime larger than a quarter of any feed, so that the rows a night corrects lie all over it and none twice."""


@dataclass(frozen=True)
class City:
    """``records``: rows of the first night over all feeds, registers included; ``changed``: rows of each later night."""

    persons: int = 1_200_000
    organisations: int = 150_000
    records: int = 12_000_000
    changed: int = 60_000
    seed: int = 2026

    @classmethod
    def of(cls, persons: int, changed: int | None = None, seed: int = 2026) -> City:
        """A city of so many persons, in the usual proportions: an organisation per eight persons, ten rows per person,
        0.5 % of the rows changed a night."""
        records = persons * 10
        return cls(persons, persons // 8, records, changed or records // 200, seed)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """How each of the city's feeds is made."""
        return {**REGISTERS, **SHAPES}

    def rows(self, feed: str) -> int:
        """Rows the feed delivers on the first night."""
        registered = dict(zip(REGISTERS, (self.persons, self.organisations), strict=True))
        if feed in registered:
            return registered[feed]
        rest = self.records - sum(registered.values())
        return round(rest * SHAPES[feed].weight / sum(shape.weight for shape in SHAPES.values()))

    def changes(self, feed: str) -> tuple[int, int, int]:
        """Rows of a later night that are new, corrected, taken back."""
        contract = load_contracts()[feed]
        changed = round(self.changed * self.rows(feed) / self.records)
        if contract.terms.change:
            return changed, 0, 0
        new = round(changed * _NEW)
        corrected = round(changed * _CORRECTED) if contract.terms.withdrawal else changed - new
        return new, corrected, changed - new - corrected


def night_date(night: int) -> date:
    """Business date of a night; night 0 is the first."""
    return FIRST_NIGHT + timedelta(days=night)


def open_duckdb(pepper: str = "", memory_mb: int = 2048, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A DuckDB that knows check digits, and subject keys made with the pepper."""
    connection = duckdb.connect()
    connection.execute(f"set memory_limit = '{memory_mb}MB'; set threads = {threads}")
    connection.execute("set preserve_insertion_order = true")
    identity.install(connection, pepper)
    return connection


def rows_query(city: City, feed: str, night: int = 0, part: tuple[int, int] | None = None) -> str:
    """SQL of a delivery: ``source_row`` and every contract field as clean text, in order. ``part``: from the so-manieth row
    on, before which one, of the first night."""
    shape, delivered = city.shapes[feed], night_date(night)
    fields = ", ".join(
        f"({shape.fields.get(field.name, 'null')})::varchar as {quote(field.name)}"
        for field in load_contracts()[feed].fields
    )
    # Step by step, because a macro writes its argument out as often as it reads it.
    return f"""
        with place as ({_places(city, feed, night, part or (0, city.rows(feed)))}),
        hashed as (
            select *, (hash(n, {literal(feed)}, {city.seed}) >> 1)::bigint as h, lpad(n::varchar, 9, '0') as no,
                {city.organisations}::bigint as organisations, {city.persons}::bigint as persons,
                {city.rows(feed)} as known, date '{delivered}' as delivered, {_HOME} as home
            from place
        ),
        drawn as (
            select *, h // 1009 % 10 < {shape.org_tenths} as is_org, home[(h // 3 % 5 + 1)::int] as region,
                {shape.person_of_row} as p, {shape.org_of_row} as o,
                case when n < known then date '2023-03-01' + (h // 11 % 1090)::int
                    else delivered - (h // 11 % 12)::int end as decided,
                round((h // 17 % 90000000) / 100 + 100 + version, 2)::decimal(20, 2) as amount
            from hashed
        ),
        numbered as (select *, {_PERSON_17} as person_17, {_ORG_16} as org_16, o * 8 % persons as r from drawn),
        checked as (select *, with_resident_check(person_17) as person_id, org_check(org_16[9:16]) as check_17 from numbered),
        named as (
            select *, org_16 || check_17 as org_17, {_person_name("p")} as person_name, {_person_name("r")} as representative,
                {_ORG_NAME} as org_name, {_TRADE} as trade
            from checked
        ),
        told as (
            select *, org_17 || uscc_check(org_17) as org_uscc, if(is_org, org_name, person_name) as party_name,
                decided - (40 + h // 19 % 300)::int as filed,
                case when h // 13 % 10 < 3 and n < known and decided < date '2025-08-01' then decided + 200
                    when version % 2 = 1 then delivered end as ended,
                strftime(case when n < known and version = 0 then least(decided + (h % 20)::int, date '{FIRST_NIGHT}')
                    else delivered end + to_seconds(h // 23 % 28800), '%Y-%m-%d %H:%M:%S') as updated
            from named
        )
        select source_row, {fields} from told
    """


def _places(city: City, feed: str, night: int, part: tuple[int, int]) -> str:
    if night == 0:
        return (
            f"select range - {part[0]} + 1 as source_row, range as n, 0 as version, false as is_gone"
            f" from range({part[0]}, {part[1]})"
        )
    new, corrected, gone = city.changes(feed)
    known, touched = city.rows(feed), corrected + gone
    # Four neighbours at a time: what one employer declares of a month changes together.
    corrections = (
        f"select {new} + range + 1, (({night - 1} * {touched // 4 + 1} + range // 4) * {_STRIDE} % {known // 4}) * 4"
        f" + range % 4, {night}, range >= {corrected} from range({touched})"
    )
    return (
        f"select range + 1 as source_row, {known + (night - 1) * new} + range as n, 0 as version, false as is_gone"
        f" from range({new})" + (f" union all {corrections}" if touched else "")
    )


def write_deliveries(
    city: City, folder: Path, night: int = 0, feeds: Sequence[str] | None = None
) -> dict[str, Path]:
    """One UTF-8 CSV per feed with the contract's headers. Returns the files by feed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    with open_duckdb() as connection:
        for feed in feeds or city.shapes:
            files[feed] = folder / f"{feed}.csv"
            headers = ", ".join(
                f"{quote(field.name)} as {quote(field.header)}" for field in load_contracts()[feed].fields
            )
            connection.execute(
                f"copy (select {headers} from ({rows_query(city, feed, night)}) order by source_row)"
                f" to {literal(str(files[feed]))} (header)"
            )
    return files


def _struct(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {literal(value)}" for name, value in values.items()) + "}"


_HOME = (
    "["
    + ", ".join(
        _struct(
            {
                "code": region.code,
                "name": f"{region.city}{region.county}",
                "court": region.court_mark,
                "mark": region.document_mark,
                "bureau": make_uscc("11", region.code, "QQ000001"),
            }
        )
        for region in words.HOME_REGIONS
    )
    + "]"
)


def _letter(alphabet: str, number: str) -> str:
    return f"{literal(alphabet)}[({number}) % {len(alphabet)} + 1]"


def _person_name(person: str) -> str:
    return " || ".join(
        (
            _letter(words.SURNAMES, f"{person} * 31 // 7"),
            _letter(words.GIVEN_MALE, f"{person} * 17 // 3"),
            _letter(words.GIVEN_FEMALE, f"{person} * 13 // 11"),
        )
    )


def _counted(number: str, *alphabets: str) -> str:
    """The number written in the letters of the alphabets, so that no two numbers are written alike."""
    letters, unit = [], 1
    for alphabet in alphabets:
        letters.append(_letter(alphabet, f"{number} // {unit}"))
        unit *= len(alphabet)
    return " || ".join(letters)


_PERSON_17 = f"'{RESIDENT_REGION}' || strftime(date '1950-01-01' + (p % 19000)::int, '%Y%m%d') || lpad((p // 19000)::varchar, 3, '0')"
_ORG_16 = f"'91' || home[(o % 5 + 1)::int].code || '{BODY_PREFIX}' || {_counted('o', *[USCC_ALPHABET] * 6)}"
_TRADES = ", ".join(map(literal, words.INDUSTRIES))
_TRADE = f"[{_TRADES}][(o % {len(words.INDUSTRIES)} + 1)::int]"
_BRAND = _counted(
    f"(o // {len(words.INDUSTRIES)})", words.BRAND_FIRST, words.BRAND_SECOND, words.SURNAMES, words.GIVEN_MALE
)
_ORG_NAME = f"'惠州市拟' || {_BRAND} || {_TRADE} || '有限公司'"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the files of one night."""
    parser = argparse.ArgumentParser(prog="bench.city", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--persons", type=int, default=City.persons)
    parser.add_argument("--changed", type=int, help="rows of a night (default: 0.5 %% of the city's)")
    parser.add_argument("--night", type=int, default=0, help="0 is the first delivery")
    asked = parser.parse_args(argv)
    city = City.of(asked.persons, asked.changed)
    for feed, path in write_deliveries(city, asked.folder, asked.night).items():
        print(f"{feed}: {path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
