"""One night of every city: true to its own answer key, and about nobody and nowhere else."""

from __future__ import annotations

import pytest

from credit_warehouse.cities import load_cities, load_city
from simulator.city import City
from simulator.feeds import FEEDS
from simulator.place import place_of
from tests.unit.simulator.conftest import Night, nights
from tests.unit.simulator.judge import judge

COURTS = {
    "huizhou": "惠州市惠城区人民法院",
    "xingning": "兴宁市人民法院",
    "yulin": "榆林市榆阳区人民法院",
    "daoli": "哈尔滨市道里区人民法院",
    "baoshan": "保山市隆阳区人民法院",
}


@pytest.fixture(scope="module", params=list(load_cities()))
def city_night(request: pytest.FixtureRequest) -> tuple[str, Night]:
    place = place_of(request.param)
    return request.param, next(nights(City(seed=7, enterprises=300, persons=400, place=place), 1))


def _values(night: Night, feed: str, field: str) -> list[str]:
    """Values of a field in the rows that break no rule."""
    return [str(row.record[field]) for row in night.rows[feed] if not row.violations and row.record[field]]


def test_planted_rows_are_exactly_the_rows_a_judge_rejects(city_night: tuple[str, Night]) -> None:
    _, night = city_night
    for feed in FEEDS.values():
        planted = {
            row.source_row: {(broken.rule, broken.field) for broken in row.broken}
            for row in night.key.feeds[feed.id].planted
        }
        assert judge(feed, night.day, night.rows[feed.id]) == planted, feed.id


def test_registers_list_the_citys_districts(city_night: tuple[str, Night]) -> None:
    code, night = city_night
    districts = set(load_city(code).districts)
    for register in ("population_register", "professional_register"):
        assert set(_values(night, f"data_administration.{register}", "district")) == districts


def test_everybody_has_a_number_no_place_ever_gave(city_night: tuple[str, Night]) -> None:
    code, night = city_night
    region = f"{load_city(code).region_code[:4]}99"
    assert region not in load_city(code).districts
    for feed in FEEDS.values():
        if feed.person_field:
            numbers = [one for one in _values(night, feed.id, feed.person_field) if len(one) == 18]
            assert {one[:6] for one in numbers} <= {region}, feed.id


def test_offices_are_called_as_in_the_city(city_night: tuple[str, Night]) -> None:
    code, night = city_night
    courts = _values(night, "court.dishonest_judgment_debtor", "court_name")
    at_home = {f"{region.city}{region.county}人民法院" for region in place_of(code).home}
    assert COURTS[code] in at_home & set(courts)
    assert sum(court in at_home for court in courts) > 0.8 * len(courts), "a few parties are of elsewhere"
    licensing = set(_values(night, "data_administration.professional_register", "authority"))
    assert all(name.startswith(place_of(code).name) for name in licensing)
