"""Where a simulated city lies: its regions, what its offices are called and number their papers with, whose numbers it gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from credit_warehouse.cities import City, load_cities, load_city
from simulator.vocabulary import HOME_REGIONS, REGION_WEIGHTS, REGIONS, Region

_PROVINCES = {"广东省": "粤", "陕西省": "陕", "黑龙江省": "黑", "云南省": "云"}
_HOME_SHARE = 96
_ELSEWHERE_SHARE = 2


@dataclass(frozen=True)
class Place:
    """One city of ``cities/`` as the departments of the simulator write about it."""

    code: str
    name: str
    """How the city's own offices begin their names: 惠州市, 兴宁市, 哈尔滨市道里区."""
    register_mark: str
    """How its civil affairs office opens a certificate number: 粤惠."""
    home: tuple[Region, ...]
    elsewhere: tuple[Region, ...]
    """Where the parties come from that are of another city."""
    weights: tuple[int, ...]
    resident_region: str
    """Region of everybody's resident ID: four digits of the city and 99, which GB/T 2260 never assigned."""

    @property
    def regions(self) -> tuple[Region, ...]:
        return (*self.home, *self.elsewhere)


HUIZHOU = Place(
    "huizhou", "惠州市", "粤惠", HOME_REGIONS, REGIONS[len(HOME_REGIONS) :], REGION_WEIGHTS, "441399"
)


@cache
def place_of(code: str) -> Place:
    """The place of a city.

    Raises:
        credit_warehouse.cities.CityError: there is no such city.
    """
    if code == HUIZHOU.code:
        return HUIZHOU
    city = load_city(code)
    home = tuple(_region(city, district, name) for district, name in city.districts.items())
    elsewhere = HOME_REGIONS[:2]
    weights = (*_shares(len(home)), *(_ELSEWHERE_SHARE for _ in elsewhere))
    whole = f"{home[0].city}{home[0].county}" if city.level == "county" else city.name
    mark = f"{_PROVINCES[city.province]}{city.name[0]}"
    return Place(code, whole, mark, home, elsewhere, weights, f"{city.region_code[:4]}99")


@cache
def neighbours(district: str) -> tuple[str, ...]:
    """The other districts of the city a district belongs to; a county has none."""
    (city,) = (city for city in load_cities().values() if district in city.districts)
    return tuple(code for code in city.districts if code != district)


def _region(city: City, district: str, name: str) -> Region:
    # 兴宁市 says only 兴宁市; a district of a city, and that of 哈尔滨, say both.
    prefecture = city.prefecture or city.name
    parts = (city.name, "") if city.level == "county" and name.endswith("市") else (prefecture, name)
    court = f"{_PROVINCES[city.province]}{district[2:]}"
    return Region(district, city.province, *parts, court, name[:2])


def _shares(count: int) -> tuple[int, ...]:
    """Shares of ``count`` districts, the first the largest."""
    whole = count * (count + 1) // 2
    return tuple(max(1, _HOME_SHARE * (count - index) // whole) for index in range(count))
