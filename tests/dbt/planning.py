"""The plans' marts of one city, built from evidence and coverage figures a test makes up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import psycopg
import pytest

from credit_warehouse import publication
from credit_warehouse.catalogue import load_catalogue
from credit_warehouse.cities import load_cities, load_city
from credit_warehouse.cities import tables as city_tables
from credit_warehouse.database import connect
from credit_warehouse.plans import load_plans
from credit_warehouse.settings import PROJECT_DIR

from .dbt_process import dbt
from .plan_reference import Item, Standing, Steps

Groups = Mapping[tuple[str, str], Steps]
"""Population and group → its steps."""

_INPUTS = """
    create table if not exists mart.population_coverage
        (population text, group_name text, district text, held_from date, members bigint, filed_members bigint);
    create table if not exists mart.department_coverage_daily
        (department_code text, business_date date, accepted_rows bigint);
    truncate mart.population_coverage, mart.department_coverage_daily;
"""


@dataclass(frozen=True)
class NewEntry:
    item: str
    kind: str
    day: date
    value: Decimal | None = None
    withdraws: int | None = None


@dataclass
class Planning:
    """Builds candidates of the plans' models alone; what they read of coverage is a table of the test's."""

    patch: pytest.MonkeyPatch
    night: date
    city: str = "huizhou"
    groups: Groups = field(default_factory=dict)
    departments: Mapping[str, date] = field(default_factory=dict)
    """Department → first night that brought something of it."""

    def choose(self, city: str) -> None:
        self.city = city
        with connect() as connection:
            city_tables.apply(connection, load_cities().values(), load_city(city))

    def enter(self, entries: Sequence[NewEntry]) -> list[int]:
        """Enter evidence. Returns the entries' numbers, in order."""
        with connect() as connection:
            return [_insert(connection, new) for new in entries]

    def forget(self) -> None:
        """Back to a city nobody has entered anything for: what a new database would cost a second to give."""
        with connect() as connection:
            connection.execute("set local session_replication_role = replica")
            connection.execute("delete from ops.plan_evidence")

    def build(self) -> int:
        with connect() as connection:
            connection.execute(_INPUTS)
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into mart.population_coverage values (%s, %s, '全市', %s, %s, %s)",
                    [(*key, *step) for key, steps in self.groups.items() for step in steps],
                )
                cursor.executemany(
                    "insert into mart.department_coverage_daily values (%s, %s, %s)",
                    [
                        row
                        for code, first in self.departments.items()
                        for row in ((code, date(2015, 1, 1), 0), (code, first, 7), (code, date.max, 9))
                    ],
                )
        candidate = publication.open_candidate(self.night, full_refresh=True)
        assert candidate is not None
        number = candidate.publication_id
        selected = ("plan_unit_today", "path:models/marts/plans")
        dbt(
            self.patch, PROJECT_DIR / "dbt_project", number, self.night, "run", "--select", " ".join(selected)
        )
        return number

    def items(self) -> list[Item]:
        """The city's tasks and targets as the reference wants them."""
        plans = load_plans()
        own = {plan.code: plan for plan in plans.plans if plan.city == self.city}
        found = [
            Item(task.code, False, own[task.plan].valid_from, own[task.plan].valid_to, task.due_on)
            for task in plans.tasks
            if task.plan in own
        ]
        for target in plans.targets:
            if target.plan not in own:
                continue
            groups: tuple[Steps, ...] | None = None
            if target.measure and target.measure.population:
                names = target.measure.groups or ("全体",)
                groups = tuple(self.groups.get((target.measure.population, name), ()) for name in names)
            elif target.measure:
                groups = (self._departments(),)
            plan = own[target.plan]
            found.append(
                Item(
                    target.code,
                    True,
                    plan.valid_from,
                    plan.valid_to,
                    target.due_on,
                    target.target_value,
                    target.qualitative,
                    groups,
                )
            )
        return found

    def _departments(self) -> Steps:
        items = [item for item in load_catalogue().items if item.withdrawn is None]
        obliged = {code for item in items for code in item.latest.departments}
        firsts = [first for code, first in self.departments.items() if code in obliged]
        return [(day, len(obliged), sum(first <= day for first in firsts)) for day in sorted(set(firsts))]


def _insert(connection: psycopg.Connection, new: NewEntry) -> int:
    column = "task_code" if "-T" in new.item else "target_code"
    row = connection.execute(
        f"insert into ops.plan_evidence ({column}, kind, dated_on, value, withdraws, note, document, entered_by)"
        " values (%s, %s, %s, %s, %s, '样例说明', '样例文件', '测试员') returning evidence_id",
        [new.item, new.kind, new.day, new.value, new.withdraws],
    ).fetchone()
    assert row is not None
    return int(row[0])


def history(candidate: int) -> dict[str, list[tuple[date, date | None, Standing]]]:
    """From, until and standing of every item, in order."""
    found: dict[str, list[tuple[date, date | None, Standing]]] = {}
    with connect(candidate) as connection:
        for code, since, until, *facts in connection.execute(
            "select item_code, held_from, held_until, rule_code, value, numerator, denominator, last_evidence_on"
            " from mart.plan_status_history order by item_code, held_from"
        ):
            found.setdefault(code, []).append((since, until, Standing(*facts)))
    return found


def as_of(rows: Iterable[tuple[date, date | None, Standing]], day: date) -> Standing | None:
    """What holds on ``day``; none before the plan."""
    return next((row[2] for row in rows if row[0] <= day and (row[1] is None or day <= row[1])), None)
