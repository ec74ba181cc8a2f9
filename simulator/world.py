"""Who lives in the city: enterprises and persons, each a pure function of (seed, index), so none need be stored.

Valid in form, impossible in fact:
- every organisation code body starts with ``QQ``, a block no issuing body has used, so no USCC here is anybody's;
- every company's brand starts with 拟 ("simulated");
- every resident ID carries a region GB/T 2260 never assigned (441399 in 惠州); everybody is born 1950–2003, an adult.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from simulator import vocabulary as words
from simulator.codes import USCC_ALPHABET, make_registration_no, make_resident_id, make_uscc
from simulator.place import HUIZHOU, Place
from simulator.vocabulary import Region

RESIDENT_REGION = HUIZHOU.resident_region
BODY_PREFIX = "QQ"
FIRST_STRANGER = 20_000_000
"""Enterprises from this index on exist but are never in the registration feed: subjects nobody knows."""
FIRST_INSTITUTION = 100_000_000
"""Organisations from this index on are 事业单位."""
FIRST_SOCIAL_ORGANISATION = 200_000_000
"""Organisations from this index on are 社会组织."""

_BODIES = 31**6
_BIRTHS_FROM = date(1950, 1, 1)
_BIRTH_DAYS = (date(2003, 12, 31) - _BIRTHS_FROM).days

# Primes that divide neither range: index → body and index → birth date are one to one, so codes never collide.
_SPREAD_BODIES = 48_271_997
_SPREAD_PERSONS = 7_368_787

_FORMS = (
    # (first two characters of the code, enterprise type, share)
    ("91", "有限责任公司(自然人投资或控股)", 62),
    ("91", "股份有限公司(非上市、自然人投资或控股)", 6),
    ("92", "个体工商户", 20),
    ("93", "农民专业合作社", 4),
    ("52", "民办非企业单位", 2),
    ("N2", "农村集体经济组织", 3),
    ("A1", "军队文职事业单位", 1),
    ("Y1", "其他组织机构", 2),
)
_INSTITUTIONS = (("12", "事业单位", 1),)
_SOCIAL_ORGANISATIONS = (("51", "社会团体", 5), ("52", "民办非企业单位", 4), ("53", "基金会", 1))


@dataclass(frozen=True)
class Enterprise:
    """An organisation with a unified social credit code."""

    index: int
    uscc: str
    name: str
    enterprise_type: str
    representative: str
    representative_index: int
    capital_cny: int
    established_on: date
    address: str
    region: Region
    scope: str

    @property
    def is_individual_business(self) -> bool:
        return self.uscc.startswith("92")

    @property
    def org_code(self) -> str:
        return self.uscc[8:17]

    @property
    def registration_no(self) -> str | None:
        """The 15 digits of those registered before the unified code (October 2015)."""
        if self.established_on >= date(2015, 10, 1):
            return None
        return make_registration_no(f"{self.region.code}{self.index % 10**8:08d}")


@dataclass(frozen=True)
class Person:
    """A natural person, adult."""

    index: int
    resident_id: str
    name: str
    sex: str
    born_on: date


class World:
    """The city of one seed.

    Args:
        seed: everything follows from it.
        enterprises: organisations registered on the first night; later nights add indices after these.
        persons: natural persons anything is ever decided about.
        place: where they are.
    """

    def __init__(self, seed: int, enterprises: int, persons: int, place: Place = HUIZHOU) -> None:
        self.seed = seed
        self.place = place
        self.enterprises = enterprises
        self.persons = persons
        self.enterprise = lru_cache(maxsize=20_000)(self._enterprise)
        self.person = lru_cache(maxsize=20_000)(self._person)

    def _random(self, what: str, index: int) -> random.Random:
        return random.Random(f"{self.seed}:{what}:{index}")

    def _enterprise(self, index: int) -> Enterprise:
        rng = self._random("enterprise", index)
        region = rng.choices(self.place.regions, self.place.weights)[0]
        forms = _forms(index)
        prefix, enterprise_type, _ = rng.choices(forms, [share for *_, share in forms])[0]
        brand = f"拟{rng.choice(words.BRAND_FIRST)}{rng.choice(words.BRAND_SECOND)}"
        industry = rng.choice(words.INDUSTRIES)
        representative = self.person(rng.randrange(self.persons))
        return Enterprise(
            index=index,
            uscc=make_uscc(prefix, region.code, _body(self.seed, index)),
            name=_organisation_name(prefix, enterprise_type, region, brand, industry),
            enterprise_type=enterprise_type,
            representative=representative.name,
            representative_index=representative.index,
            capital_cny=rng.choice(
                (30_000, 100_000, 500_000, 1_000_000, 2_005_000, 5_000_000, 10_000_000, 50_001_200)
            ),
            established_on=date(1998, 1, 5) + timedelta(days=rng.randrange(9_200)),
            address=(
                f"{region.province}{region.city}{region.county}{rng.choice(words.STREETS)}"
                f"{rng.randrange(1, 400)}号{rng.randrange(1, 30)}层"
            ),
            region=region,
            scope=f"{industry}{rng.choice(words.SCOPE_ENDS)};{rng.choice(words.INDUSTRIES)}{rng.choice(words.SCOPE_ENDS)}",
        )

    def _person(self, index: int) -> Person:
        rng = self._random("person", index)
        days, sequence = divmod((index + self.seed) * _SPREAD_PERSONS % (_BIRTH_DAYS * 1000), 1000)
        born_on = _BIRTHS_FROM + timedelta(days=days)
        male = sequence % 2 == 1
        given = words.GIVEN_MALE if male else words.GIVEN_FEMALE
        name = rng.choice(words.SURNAMES) + "".join(rng.choice(given) for _ in range(rng.choice((1, 2, 2))))
        return Person(
            index=index,
            resident_id=make_resident_id(self.place.resident_region, f"{born_on:%Y%m%d}", sequence),
            name=name,
            sex="男" if male else "女",
            born_on=born_on,
        )


@lru_cache(maxsize=256)
def office_uscc(kind: str, region: Region) -> str:
    """Code of a public body (机关, 11…) of a region; the same for every seed."""
    serial = sum(ord(char) * 7**i for i, char in enumerate(kind + region.code)) % _BODIES
    return make_uscc("11", region.code, _encode(serial))


def _forms(index: int) -> tuple[tuple[str, str, int], ...]:
    if index >= FIRST_SOCIAL_ORGANISATION:
        return _SOCIAL_ORGANISATIONS
    return _INSTITUTIONS if index >= FIRST_INSTITUTION else _FORMS


def _body(seed: int, index: int) -> str:
    return _encode((index + seed) * _SPREAD_BODIES % _BODIES)


def _encode(number: int) -> str:
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 31)
        digits.append(USCC_ALPHABET[rest])
    return BODY_PREFIX + "".join(digits)


def _organisation_name(prefix: str, enterprise_type: str, region: Region, brand: str, industry: str) -> str:
    place = f"{region.city}{region.county}"
    match prefix:
        case "92":
            return f"{place}{brand}{industry}店"
        case "93":
            return f"{place}{brand}种养专业合作社"
        case "12":
            return f"{place}{brand}{industry}事务中心"
        case "51":
            return f"{place}{brand}{industry}协会"
        case "52":
            return f"{place}{brand}培训中心"
        case "53":
            return f"{place}{brand}慈善基金会"
        case "N2":
            return f"{place}{brand}村股份经济合作联合社"
        case "A1":
            return f"{place}{brand}服务保障中心"
        case "Y1":
            return f"{place}{brand}联络处"
    return f"{region.city}{brand}{industry}{'股份' if enterprise_type.startswith('股份') else ''}有限公司"
