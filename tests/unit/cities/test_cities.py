"""A city is one setting: contracts, districts and deadlines follow it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from credit_warehouse.cities import CityError, load_cities, load_city
from credit_warehouse.contracts import load_contracts
from credit_warehouse.settings import PROJECT_DIR, get_settings
from credit_warehouse.transform import generate

CITIES = load_cities()


@pytest.fixture
def chosen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("CREDIT_CITY", request.param)
    get_settings.cache_clear()
    yield request.param
    monkeypatch.undo()
    get_settings.cache_clear()


def test_the_five_cities() -> None:
    assert {code: city.name for code, city in CITIES.items()} == {
        "huizhou": "惠州市",
        "xingning": "兴宁市",
        "yulin": "榆林市",
        "daoli": "道里区",
        "baoshan": "保山市",
    }
    assert len({tuple(sorted(city.departments)) for city in CITIES.values()}) == 1


@pytest.mark.parametrize("chosen", list(CITIES), indirect=True)
def test_contracts_bear_the_citys_names_and_generated_files_the_familys(chosen: str) -> None:
    city = load_city()
    assert city.code == chosen
    contracts = load_contracts()
    for contract in contracts.values():
        department = contract.terms.department
        assert department.name == city.departments[department.code]
        assert department.name in contract.department_label
    assert generate.check(contracts, PROJECT_DIR / "dbt_project") == []


@pytest.mark.parametrize("chosen", ["atlantis"], indirect=True)
def test_an_unknown_city_is_refused_with_those_there_are(chosen: str) -> None:
    with pytest.raises(CityError, match=f"{chosen}.*baoshan、daoli、huizhou、xingning、yulin"):
        load_city()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("level: county", "level: prefecture", "belongs to no other"),
        ('"441481": 兴宁市', '"610802": 榆阳区', "only district"),
        ("prefecture: 梅州市\n", "", "names its prefecture"),
        ("name: 兴宁市\n", "name: 兴宁市\nmayor: 某某\n", "mayor"),
        ('regionCode: "441481"', 'regionCode: "44148"', "44148"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (PROJECT_DIR / "cities" / "xingning.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "xingning.yaml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(CityError, match=f"(?s)cities/xingning.yaml.*{message}"):
        load_city("xingning", tmp_path)
