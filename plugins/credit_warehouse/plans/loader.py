"""Reading ``plans/`` from disk: tables as they were transcribed, joined with what the plans themselves do not say."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from credit_warehouse.cities import load_cities
from credit_warehouse.plans.model import Measure, Plan, Plans, Target, Task, Unit
from credit_warehouse.settings import get_settings


class PlanError(ValueError):
    """The plans cannot be used; the message names the file, the row and what is wrong with it."""


def load_plans(folder: Path | None = None) -> Plans:
    """The plans below ``folder`` (default: the project's).

    Raises:
        PlanError: a file is not what :mod:`credit_warehouse.plans.model` allows, or names what no other file knows.
    """
    return _load(folder or get_settings().plans_dir)


@lru_cache(maxsize=2)
def _load(folder: Path) -> Plans:
    try:
        plans = [Plan.model_validate(entry) for entry in _yaml(folder / "plans.yaml")]
        units = [
            Unit.model_validate({**entry, "city": city})
            for city, entries in _yaml(folder / "units.yaml").items()
            for entry in entries
        ]
        _cities_are_known(plans, units)
        measures = [Measure.model_validate(entry) for entry in _yaml(folder / "measures.yaml")]
        by_title = {plan.title: plan for plan in plans}
        return Plans(
            plans=tuple(plans),
            units=tuple(units),
            tasks=tuple(_tasks(folder / "tasks.csv", by_title, units)),
            targets=tuple(_targets(folder / "targets.csv", by_title, measures)),
        )
    except (OSError, yaml.YAMLError, ValidationError, KeyError, ValueError, TypeError) as error:
        raise PlanError(f"{folder.name}/: {error}") from error


def _cities_are_known(plans: list[Plan], units: list[Unit]) -> None:
    cities = load_cities()
    for city in [plan.city for plan in plans] + [unit.city for unit in units]:
        if city not in cities:
            raise PlanError(f"没有 cities/{city}.yaml")
    for unit in units:
        if unit.department is not None and unit.department not in cities[unit.city].departments:
            raise PlanError(f"{unit.key}: cities/{unit.city}.yaml 没有部门 {unit.department}")


def _tasks(path: Path, plans: dict[str, Plan], units: list[Unit]) -> Iterator[Task]:
    keys: dict[tuple[str, str], str] = {}
    for unit in reversed(units):  # the plan means the earliest unit of a name
        keys[unit.city, unit.name] = unit.key
    for number, row, plan, ordinal in _rows(path, plans):
        named: dict[str, tuple[str, ...]] = {}
        for column in ("lead_units", "responsible_units"):
            names = [name for name in row[column].split(";") if name]
            unknown = [name for name in names if (plan.city, name) not in keys]
            if unknown:
                raise PlanError(
                    f"{path.name} 第 {number} 行：units.yaml 没有 {plan.city} 的 {'、'.join(unknown)}"
                )
            named[column] = tuple(keys[plan.city, name] for name in names)
        kind, due_on, source = _deadline(row["deadline"], plan)
        yield Task.model_validate(
            {
                "code": f"{plan.code}-T{ordinal:03d}",
                "plan": plan.code,
                "article": row["article"],
                "task": row["task"],
                "lead": named["lead_units"],
                "responsible": named["responsible_units"],
                "deadline_kind": kind,
                "due_on": due_on,
                "deadline_source": source,
            }
        )


def _targets(path: Path, plans: dict[str, Plan], measures: list[Measure]) -> Iterator[Target]:
    wanted = {(measure.plan, measure.metric): measure for measure in measures}
    used: set[tuple[str, str]] = set()
    for number, row, plan, ordinal in _rows(path, plans):
        if row["unit"] not in ("%", "里程碑"):
            raise PlanError(f"{path.name} 第 {number} 行：计量单位 {row['unit']} 不认识")
        is_rate = row["unit"] == "%"
        kind, due_on, source = _deadline(row["due_date"], plan)
        measure = wanted.get((plan.code, row["population_or_metric"]))
        used.add((plan.code, row["population_or_metric"]))
        yield Target.model_validate(
            {
                "code": f"{plan.code}-M{ordinal:03d}",
                "plan": plan.code,
                "article": row["article"],
                "metric": row["population_or_metric"],
                "target_value": row["target_value"] if is_rate else None,
                "milestone": None if is_rate else row["target_value"],
                "scope_note": row["scope_note"],
                "qualitative": not is_rate and "定性" in row["scope_note"],
                "deadline_kind": kind,
                "due_on": due_on,
                "deadline_source": source,
                "measure": measure,
            }
        )
    if wanted.keys() - used:
        raise PlanError(f"measures.yaml 的指标不在 {path.name} 中：{sorted(wanted.keys() - used)}")


def _deadline(text: str, plan: Plan) -> tuple[str, date | None, str]:
    """Kind of the deadline, its day, and where that was taken from."""
    if text == "ongoing":
        return "ongoing", None, "原文“持续实施”，无期限"
    if not text:
        return "undated", plan.valid_to, "原文未定期限，按规划期末"
    return "dated", date.fromisoformat(text), "原文期限"


def _rows(path: Path, plans: dict[str, Plan]) -> Iterator[tuple[int, dict[str, str], Plan, int]]:
    """Line number, row, its plan, and the row's place in the plan."""
    places: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            plan = plans.get(row["plan"])
            if plan is None:
                raise PlanError(f"{path.name} 第 {number} 行：plans.yaml 没有“{row['plan']}”")
            places[plan.code] += 1
            yield number, row, plan, places[plan.code]


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
