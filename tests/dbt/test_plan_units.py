"""Who answers on a night for the units the plans name: the model against a walk over the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.plans import Unit, load_plans
from credit_warehouse.settings import PROJECT_DIR

from .dbt_process import dbt

UNITS = {unit.key: unit for unit in load_plans().units}
NIGHTS = (date(2018, 12, 31), date(2019, 1, 1), date(2026, 3, 2))
KNOWN = {
    ("huizhou.industry_commerce", NIGHTS[0]): ["市工商局"],
    ("huizhou.industry_commerce", NIGHTS[1]): ["市市场监管局"],
    ("huizhou.banking_regulation", NIGHTS[1]): ["惠州银保监分局"],
    ("huizhou.banking_regulation", NIGHTS[2]): ["惠州金融监管分局"],
    ("xingning.local_tax", NIGHTS[2]): ["市税务局"],
    ("baoshan.culture_press", NIGHTS[2]): ["市广播电视局", "市文化和旅游局"],
    ("huizhou.departments_concerned", NIGHTS[2]): ["市各有关部门"],
}


def heirs(unit: Unit, day: date) -> Iterator[str]:
    if unit.valid_to is None or day <= unit.valid_to:
        yield unit.name
    else:
        for code in unit.successors:
            yield from heirs(UNITS[f"{unit.city}.{code}"], day)


def test_every_unit_is_answered_for_on_every_night(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for night in NIGHTS:
        candidate = publication.open_candidate(night, full_refresh=True)
        assert candidate is not None
        project = PROJECT_DIR / "dbt_project"
        dbt(monkeypatch, project, candidate.publication_id, night, "run", "--select", "plan_unit_today")
        with connect() as connection:
            found: dict[str, list[str]] = {}
            for code, name in connection.execute("select unit_code, today_name from core.plan_unit_today"):
                found.setdefault(code, []).append(name)
        assert {code: sorted(names) for code, names in found.items()} == {
            code: sorted(set(heirs(unit, night))) for code, unit in UNITS.items()
        }
        for (code, on), names in KNOWN.items():
            if on == night:
                assert sorted(found[code]) == sorted(names)
