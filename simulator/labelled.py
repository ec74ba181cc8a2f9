"""Records without a usable identifier, each with the subject it is really about: what proposing candidates is judged by.

The known subjects hold hard negatives on purpose: namesakes of the same county and year of birth, some with the same last
four digits; other names under the same visible digits; organisations one character or one county apart, names used again
by another organisation, and names given up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from simulator import vocabulary as words
from simulator.codes import make_resident_id, make_uscc, mask_resident_id
from simulator.world import RESIDENT_REGION, World

Kind = Literal["person", "organisation"]

DECIDED_ON = date(2026, 3, 2)
_STRANGERS_FROM = 5_000_000
_TWIN_SHARE = 0.15
"""Share of known subjects that get a look-alike."""


@dataclass(frozen=True)
class KnownSubject:
    """A subject the city knows by its identifier. ``names``: the present one last."""

    kind: Kind
    identifier: str
    names: tuple[str, ...]
    representative: str | None = None


@dataclass(frozen=True)
class LabelledRecord:
    """A record as a department would send it. ``truth``: identifier of its subject, none when the city does not know it;
    ``trait``: what makes it easy or hard; ``age`` in years on ``DECIDED_ON``."""

    kind: Kind
    trait: str
    truth: str | None
    name: str
    number: str | None = None
    sex: str | None = None
    age: int | None = None
    representative: str | None = None


@dataclass(frozen=True)
class LabelledSet:
    """``records`` in a mixed order; identifiers of ``subjects`` are unique."""

    subjects: tuple[KnownSubject, ...]
    records: tuple[LabelledRecord, ...]


def labelled_set(seed: int, persons: int, organisations: int, records: int) -> LabelledSet:
    """The set of one seed.

    Args:
        persons, organisations: known subjects before look-alikes are added.
        records: about as many of each kind.
    """
    rng = random.Random(f"{seed}:labelled")
    world = World(seed, organisations, persons)
    people = _people(world, rng)
    companies = _companies(world, rng)
    made = [_person_record(world, rng, number, people) for number in range(records)]
    made += [_company_record(world, rng, number, companies) for number in range(records)]
    rng.shuffle(made)
    return LabelledSet((*people, *companies), tuple(made))


def _people(world: World, rng: random.Random) -> list[KnownSubject]:
    found = {
        person.resident_id: KnownSubject("person", person.resident_id, (person.name,))
        for person in map(world.person, range(world.persons))
    }
    for subject in list(found.values()):
        if rng.random() < _TWIN_SHARE:
            twin = _twin(rng, subject)
            found.setdefault(twin.identifier, twin)
    return list(found.values())


def _twin(rng: random.Random, subject: KnownSubject) -> KnownSubject:
    """Somebody else of the same county and year of birth."""
    number, (name,) = subject.identifier, subject.names
    match rng.randrange(3):
        case 0:  # A namesake with another number.
            day = date(int(number[6:10]), 1, 1) + timedelta(days=rng.randrange(365))
            return KnownSubject(
                "person", make_resident_id(RESIDENT_REGION, f"{day:%Y%m%d}", rng.randrange(1000)), (name,)
            )
        case 1:  # A namesake whose number is the same wherever a court leaves it visible.
            return KnownSubject("person", _same_visible(rng, number), (name,))
    # The same visible digits, another name.
    return KnownSubject("person", _same_visible(rng, number), (rng.choice(words.SURNAMES) + name[1:],))


def _same_visible(rng: random.Random, number: str) -> str:
    first = date(int(number[6:10]), 1, 1)
    days = list(range(365))
    rng.shuffle(days)
    for offset in days:
        other = make_resident_id(
            RESIDENT_REGION, f"{first + timedelta(days=offset):%Y%m%d}", int(number[14:17])
        )
        if other[17] == number[17] and other != number:
            return other
    raise RuntimeError(f"no other day of {first.year} gives the check digit of {number}")


def _companies(world: World, rng: random.Random) -> list[KnownSubject]:
    found = []
    for index in range(world.enterprises):
        enterprise = world.enterprise(index)
        names: tuple[str, ...] = (enterprise.name,)
        if rng.random() < _TWIN_SHARE:  # Renamed since.
            names = (world.enterprise(_STRANGERS_FROM + index).name, enterprise.name)
        found.append(KnownSubject("organisation", enterprise.uscc, names, enterprise.representative))
        if rng.random() < _TWIN_SHARE:
            other = world.enterprise(2 * _STRANGERS_FROM + index)
            uscc = make_uscc(other.uscc[:2], other.uscc[2:8], other.uscc[8:16])
            name = names[-1]
            match rng.randrange(3):
                case 0:  # One character apart.
                    name = name.replace("拟", f"拟{rng.choice(words.BRAND_FIRST)}", 1)
                case 1:  # The same name in another county.
                    here = next((r for r in words.REGIONS if r.county in name), None)
                    there = rng.choice([r for r in words.HOME_REGIONS if r != here])
                    name = name.replace(here.county, there.county) if here else f"{there.county}{name[3:]}"
            # Otherwise the name is used again, by somebody else.
            found.append(KnownSubject("organisation", uscc, (name,), other.representative))
    return found


def _person_record(
    world: World, rng: random.Random, number: int, people: list[KnownSubject]
) -> LabelledRecord:
    subject = rng.choice(people)
    resident_id, (name,) = subject.identifier, subject.names
    masked = mask_resident_id(resident_id)
    record = LabelledRecord(
        "person",
        "masked",
        resident_id,
        name,
        masked,
        "男" if int(resident_id[16]) % 2 else "女",
        _age(date.fromisoformat(f"{resident_id[6:10]}-{resident_id[10:12]}-{resident_id[12:14]}")),
    )
    match number % 20:
        case 0 | 1:
            return replace(record, trait="check digit masked too", number=masked[:17] + "*")
        case 2 | 3:
            return replace(record, trait="name misspelt", name=_misspelt(rng, name))
        case 4:
            wrong = str((int(masked[15]) + 1) % 10)
            return replace(record, trait="visible digit wrong", number=masked[:15] + wrong + masked[16:])
        case 5 | 6 | 7:
            return replace(record, trait="no number", number=None)
        case 8:
            return replace(record, trait="name only", number=None, sex=None, age=None)
        case 9:
            passport = f"{rng.choice('ABCKX')}{rng.randrange(10**7):07d}"
            return replace(record, trait="foreign passport, namesake", truth=None, number=passport, age=None)
        case 10 | 11:
            stranger = world.person(_STRANGERS_FROM + number)
            return LabelledRecord(
                "person",
                "subject unknown",
                None,
                stranger.name,
                mask_resident_id(stranger.resident_id),
                stranger.sex,
                _age(stranger.born_on),
            )
    return record


def _company_record(
    world: World, rng: random.Random, number: int, companies: list[KnownSubject]
) -> LabelledRecord:
    subject = rng.choice(companies)
    name = subject.names[-1]
    record = LabelledRecord(
        "organisation",
        "name and representative",
        subject.identifier,
        name,
        representative=subject.representative,
    )
    match number % 20:
        case 0 | 1 | 2 | 3:
            return replace(record, trait="name only", representative=None)
        case 4 | 5 | 6:
            short = name.replace("惠州市", "", 1).replace("有限公司", "公司")
            return replace(record, trait="place and legal form left out", name=short)
        case 7 | 8:
            return replace(record, trait="former name or present one", name=subject.names[0])
        case 9 | 10:
            return replace(record, trait="name misspelt", name=_misspelt(rng, name))
        case 11:
            return replace(
                record,
                trait="name misspelt, no representative",
                name=_misspelt(rng, name),
                representative=None,
            )
        case 12 | 13:
            stranger = world.enterprise(3 * _STRANGERS_FROM + number)
            return LabelledRecord(
                "organisation",
                "subject unknown",
                None,
                stranger.name,
                representative=stranger.representative,
            )
        case 14:
            return replace(record, trait="new representative", representative=world.person(number).name)
    return record


def _misspelt(rng: random.Random, name: str) -> str:
    """One character of the given name, or of the brand (after 拟), is another."""
    position = name.find("拟") + 1 or len(name) - 1
    others = words.BRAND_FIRST if "拟" in name else words.GIVEN_MALE + words.GIVEN_FEMALE
    return name[:position] + rng.choice([c for c in others if c != name[position]]) + name[position + 1 :]


def _age(born_on: date) -> int:
    had_birthday = (DECIDED_ON.month, DECIDED_ON.day) >= (born_on.month, born_on.day)
    return DECIDED_ON.year - born_on.year - (not had_birthday)
