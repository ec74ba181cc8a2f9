"""Where tasks and targets stand, on any day: the mart's histories against a reference that looks at one day at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from credit_warehouse import publication
from credit_warehouse.cli import app
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings
from tests import databases

from .plan_reference import Entry, Item, Steps, counts, standing
from .planning import NewEntry, Planning, as_of, history

NIGHT = date(2026, 3, 2)
FIRST, LAST = date(2015, 6, 1), date(2026, 3, 1)
VALUES = [Decimal(60), Decimal(85), Decimal("99.99"), Decimal(100)]
DEPARTMENTS = ("court", "tax", "market_regulation", "social_security", "data_administration", "nobody")
PEOPLE = ("population", "全体")


@pytest.fixture(scope="module")
def planning(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planning]:
    name = databases.create(postgres_server, warehouse_template)
    home: Path = tmp_path_factory.mktemp("plans")
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, home)
        yield Planning(patch, NIGHT)
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


def some_day(chance: Random) -> date:
    return FIRST + timedelta(days=chance.randrange((LAST - FIRST).days + 1))


def coverage(chance: Random) -> Steps:
    """Figures of one group: members come and go, also all of them, and no more are filed than there are."""
    steps = []
    for day in sorted({some_day(chance) for _ in range(chance.randrange(6))}):
        members = chance.choice([0, 1, 7, 20, 100])
        steps.append((day, members, members if chance.random() < 0.5 else chance.randint(0, members)))
    return steps


def kinds_for(item: Item) -> list[str]:
    return ["progress", "completed", "measured"] if item.goal is not None else ["progress", "completed"]


def evidence(chance: Random, item: Item) -> list[NewEntry]:
    found = []
    for _ in range(chance.randrange(4)):
        kind = chance.choice(kinds_for(item))
        value = chance.choice(VALUES) if kind == "measured" else None
        found.append(NewEntry(item.code, kind, some_day(chance), value))
    return found


# One example is a whole city: 182 tasks and targets, each with evidence of its own.
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_every_day_stands_as_the_reference_says(planning: Planning, seed: int) -> None:
    chance = Random(seed)
    planning.forget()
    planning.choose("xingning")
    trades = ("公务员", "教师", "科研人员", "律师", "公证人员", "司法执法人员")
    populations = [PEOPLE, ("enterprise", "全体"), ("institution", "全体"), ("social_organisation", "全体")]
    groups = [*populations, *(("professional_group", name) for name in trades)]
    planning.groups = {key: coverage(chance) for key in groups}
    planning.departments = {code: some_day(chance) for code in DEPARTMENTS}
    items = planning.items()
    new = [entry for item in items for entry in evidence(chance, item)]
    numbers = planning.enter(new)
    withdrawn = {number for number in numbers if chance.random() < 0.2}
    planning.enter(
        [
            NewEntry(entry.item, "withdrawn", LAST, withdraws=number)
            for entry, number in zip(new, numbers, strict=True)
            if number in withdrawn
        ]
    )
    entries: dict[str, list[Entry]] = {item.code: [] for item in items}
    for entry, number in zip(new, numbers, strict=True):
        if number not in withdrawn:
            entries[entry.item].append(Entry(number, entry.kind, entry.day, entry.value))
    found = history(planning.build())
    assert found.keys() == {item.code for item in items}
    probes = [some_day(chance) for _ in range(20)]
    for item in items:
        rows = found[item.code]
        assert rows[0][0] == item.begins and rows[-1][1] is None
        for (_, until, _), (since, _, _) in pairwise(rows):
            assert until is not None and until + timedelta(days=1) == since, item.code
        turns = {row[0] + timedelta(days=offset) for row in rows for offset in (-1, 0)}
        turns |= {e.day + timedelta(days=offset) for e in entries[item.code] for offset in (-1, 0, 180, 181)}
        for day in sorted({*turns, *probes, date(2027, 1, 1)}):
            if day >= item.begins:
                assert as_of(rows, day) == standing(item, entries[item.code], day), (item.code, day)
            else:
                assert as_of(rows, day) is None


SPRING, DEADLINE, LONG_AFTER = date(2018, 6, 1), date(2019, 1, 1), date(2026, 3, 2)


COUNTS: dict[tuple[str, date], dict[str, int]] = {
    ("huizhou", SPRING): {"denominator_unknown": 1, "met_on_time": 1, "on_track": 18, "qualitative": 5},
    ("huizhou", DEADLINE): {
        "at_risk_stale": 15,
        "denominator_unknown": 1,
        "met_on_time": 1,
        "never_evidenced": 2,
        "on_track": 1,
        "qualitative": 5,
    },
    ("huizhou", LONG_AFTER): {
        "denominator_unknown": 1,
        "met_late": 1,
        "met_on_time": 1,
        "never_evidenced": 16,
        "overdue": 1,
        "qualitative": 5,
    },
    ("xingning", SPRING): {
        "at_risk_stale": 127,
        "denominator_unknown": 11,
        "met_on_time": 1,
        "never_evidenced": 30,
        "qualitative": 13,
    },
    ("xingning", DEADLINE): {
        "at_risk_stale": 126,
        "denominator_unknown": 11,
        "met_on_time": 1,
        "never_evidenced": 30,
        "on_track": 1,
        "qualitative": 13,
    },
    ("xingning", LONG_AFTER): {
        "denominator_unknown": 11,
        "met_late": 1,
        "met_on_time": 1,
        "never_evidenced": 155,
        "overdue": 1,
        "qualitative": 13,
    },
    ("yulin", SPRING): {},
    ("yulin", DEADLINE): {"met_on_time": 1, "on_track": 17},
    ("yulin", LONG_AFTER): {"met_late": 1, "met_on_time": 1, "never_evidenced": 15, "overdue": 1},
    ("daoli", SPRING): {},
    ("daoli", DEADLINE): {"never_evidenced": 1, "on_track": 16},
    ("daoli", LONG_AFTER): {
        "at_risk_stale": 2,
        "never_evidenced": 6,
        "never_evidenced_ongoing": 8,
        "overdue": 1,
    },
    ("baoshan", SPRING): {"at_risk_deadline": 7, "met_on_time": 1, "on_track": 29},
    ("baoshan", DEADLINE): {"at_risk_stale": 22, "met_on_time": 1, "never_evidenced": 13, "on_track": 1},
    ("baoshan", LONG_AFTER): {
        "at_risk_stale": 1,
        "met_late": 1,
        "met_on_time": 1,
        "never_evidenced": 22,
        "never_evidenced_ongoing": 12,
    },
}
"""City and day → items under each rule; counted by hand from the plans' deadlines for 惠州, 榆林 and 道里."""


@pytest.mark.parametrize("city", ["huizhou", "xingning", "yulin", "daoli", "baoshan"])
def test_the_plans_of_every_city_at_three_dates(planning: Planning, city: str) -> None:
    """Nobody entered anything but that the first task was done late, the second in time, the third is under way."""
    planning.forget()
    planning.choose(city)
    planning.groups, planning.departments = {}, {}
    plan = {"huizhou": "huizhou_personal", "xingning": "xingning_planning", "baoshan": "baoshan_government"}
    plan_code = plan.get(city, f"{city}_personal")
    planning.enter(
        [
            NewEntry(f"{plan_code}-T001", "completed", date(2021, 5, 1)),
            NewEntry(f"{plan_code}-T002", "completed", date(2018, 6, 1)),
            NewEntry(f"{plan_code}-T003", "progress", date(2018, 12, 1)),
        ]
    )
    candidate = planning.build()
    found = history(candidate)
    items = planning.items()
    assert found.keys() == {item.code for item in items}
    for day in (SPRING, DEADLINE, LONG_AFTER):
        standings = {code: stood for code, rows in found.items() if (stood := as_of(rows, day))}
        assert counts(standings) == COUNTS[city, day], day
    with connect(candidate) as connection:
        assert connection.execute("select distinct plan_code from mart.plan_task order by 1").fetchall() == [
            (code,) for code in sorted({item.code.split("-")[0] for item in items})
        ], "only the office's own plans are shown"


def test_a_task_is_shown_under_todays_unit_with_the_plans_name(planning: Planning) -> None:
    planning.choose("huizhou")
    with connect(planning.build()) as connection:
        assert connection.execute(
            "select lead_units, responsible_units from mart.plan_task where task_code = 'huizhou_personal-T014'"
        ).fetchone() == (
            [
                "市发展改革局",
                "市商务局",
                "市市场监管局（原市工商局）",
                "人民银行惠州市分行（原人民银行惠州市中心支行）",
            ],
            [],
        )
        assert connection.execute(
            "select task_code, unit_name, today_name, role_label from mart.plan_task_unit"
            " where department_code = 'market_regulation'"
        ).fetchall() == [("huizhou_personal-T014", "市工商局", "市市场监管局", "牵头")]
        # Twice renamed: 惠州银保监分局 at the end of 2018, 惠州金融监管分局 in 2023.
        assert connection.execute(
            "select distinct unit_name, today_name from mart.plan_task_unit where unit_name = '惠州银监分局'"
        ).fetchall() == [("惠州银监分局", "惠州金融监管分局")]


def test_the_command_line_shows_a_units_tasks_on_a_day(planning: Planning) -> None:
    planning.forget()
    planning.choose("huizhou")
    publication.publish(planning.build(), "test")
    runner = CliRunner()
    shown = runner.invoke(app, ["plan", "status", "--unit", "市场监管", "--as-of", "2018-12-01", "--rules"])
    assert shown.exit_code == 0
    for words in ("惠州市规划进展  截至 2018-12-01", "T014", "余 761 天", "有风险", "超过180天没有新的佐证"):
        assert words in shown.output
    assert shown.output.count("T0") == 1 + 1, "one task, and the example in the heading"
    tonight = runner.invoke(app, ["plan", "status", "--status", "not_measurable"])
    assert "截至 2026-03-02" in tonight.output
    assert [f"M{number:03d}" in tonight.output for number in (3, 4, 6, 7, 8)] == [True] * 5


def test_what_is_entered_while_a_candidate_is_built_waits_for_the_next(planning: Planning) -> None:
    planning.forget()
    planning.choose("huizhou")
    task = "huizhou_personal-T001"
    candidate = planning.build()
    planning.enter([NewEntry(task, "completed", date(2020, 5, 1))])
    with connect(candidate) as connection:
        assert connection.execute("select count(*) from mart.plan_evidence").fetchone() == (0,)
    assert as_of(history(planning.build())[task], NIGHT).rule == "met_on_time"  # type: ignore[union-attr]
