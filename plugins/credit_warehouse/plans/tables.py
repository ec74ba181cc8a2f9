"""The plans in the database: ``ops.plan``, ``ops.unit``, ``ops.plan_task`` and what hangs on them, from the files only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from credit_warehouse.database import replace_rows
from credit_warehouse.plans.model import Plans

Row = dict[str, Any]


def apply(connection: psycopg.Connection, plans: Plans) -> None:
    """Bring the tables to the files. Idempotent.

    Raises:
        psycopg.errors.ForeignKeyViolation: a task or target is gone from the files that evidence was entered for.
    """
    with connection.transaction():
        replace_rows(
            connection,
            "plan",
            ["plan_code"],
            [
                {
                    "plan_code": plan.code,
                    "plan_title": plan.title,
                    **plan.model_dump(exclude={"code", "title"}),
                }
                for plan in plans.plans
            ],
        )
        replace_rows(connection, "unit", ["unit_code"], list(_units(plans)))
        replace_rows(connection, "plan_task", ["task_code"], list(_tasks(plans)))
        replace_rows(
            connection, "plan_task_unit", ["task_code", "role", "unit_code"], list(_task_units(plans))
        )
        replace_rows(connection, "plan_target", ["target_code"], list(_targets(plans)))


def _units(plans: Plans) -> Iterator[Row]:
    for unit in plans.units:
        yield {
            "unit_code": unit.key,
            "city": unit.city,
            "unit_name": unit.name,
            "kind": unit.kind,
            "valid_from": unit.valid_from,
            "valid_to": unit.valid_to,
            "successor_codes": [f"{unit.city}.{code}" for code in unit.successors],
            "change_document": unit.change,
            "department_code": unit.department,
        }


def _tasks(plans: Plans) -> Iterator[Row]:
    for place, task in enumerate(plans.tasks, start=1):
        yield {
            "task_code": task.code,
            "plan_code": task.plan,
            "place": place,
            **task.model_dump(include={"article", "task", "deadline_kind", "due_on", "deadline_source"}),
        }


def _task_units(plans: Plans) -> Iterator[Row]:
    for task in plans.tasks:
        for role, keys in (("lead", task.lead), ("responsible", task.responsible)):
            for place, key in enumerate(keys, start=1):
                yield {"task_code": task.code, "role": role, "unit_code": key, "place": place}


def _targets(plans: Plans) -> Iterator[Row]:
    for place, target in enumerate(plans.targets, start=1):
        measure = target.measure
        yield {
            "target_code": target.code,
            "plan_code": target.plan,
            "place": place,
            **target.model_dump(exclude={"code", "plan", "measure"}),
            "measure": measure and measure.measure,
            "population": measure and measure.population,
            "group_names": list(measure.groups or ("全体",)) if measure else None,
            "denominator_name": measure and measure.denominator,
        }
