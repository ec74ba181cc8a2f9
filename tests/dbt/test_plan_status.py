"""Where tasks and targets stand, on any day: the mart's histories against a reference that looks at one day at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings
from tests import databases

from .plan_reference import Entry, Item, Steps, counts, standing
from .planning import Planning, as_of, history

NIGHT = date(2026, 3, 2)
FIRST, LAST = date(2015, 6, 1), date(2026, 3, 1)
DAYS = st.dates(FIRST, LAST)
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


@st.composite
def coverage(draw: st.DrawFn) -> Steps:
    """Figures of one group: members come and go, also all of them, and no more are filed than there are."""
    days = sorted(draw(st.sets(DAYS, max_size=5)))
    steps = []
    for day in days:
        members = draw(st.sampled_from([0, 1, 7, 20, 100]))
        filed = members if draw(st.booleans()) else draw(st.integers(0, members))
        steps.append((day, members, filed))
    return steps


def kinds_for(item: Item) -> list[str]:
    return ["progress", "completed", "measured"] if item.goal is not None else ["progress", "completed"]


def enter(planning: Planning, data: st.DataObject, item: Item) -> list[Entry]:
    """Entries about one item, some of them withdrawn. Returns those that stand."""
    standing_entries = []
    for _ in range(data.draw(st.integers(0, 3))):
        kind, day = data.draw(st.sampled_from(kinds_for(item))), data.draw(DAYS)
        value = (
            data.draw(st.sampled_from([Decimal(60), Decimal(85), Decimal("99.99"), Decimal(100)]))
            if kind == "measured"
            else None
        )
        number = planning.enter(item.code, kind, day, value)
        if data.draw(st.integers(0, 4)) == 0:
            planning.enter(item.code, "withdrawn", LAST, withdraws=number)
        else:
            standing_entries.append(Entry(number, kind, day, value))
    return standing_entries


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_every_day_stands_as_the_reference_says(planning: Planning, data: st.DataObject) -> None:
    planning.forget()
    planning.choose("xingning")
    trades = ("公务员", "教师", "科研人员", "律师", "公证人员", "司法执法人员")
    populations = [PEOPLE, ("enterprise", "全体"), ("institution", "全体"), ("social_organisation", "全体")]
    planning.groups = {
        key: data.draw(coverage())
        for key in [*populations, *(("professional_group", name) for name in trades)]
    }
    planning.departments = {code: data.draw(DAYS) for code in ("court", "tax", "market_regulation")}
    items = planning.items()
    entries = {item.code: enter(planning, data, item) for item in items}
    found = history(planning.build())
    assert found.keys() == {item.code for item in items}
    probes = data.draw(st.lists(DAYS, min_size=20, max_size=20))
    for item in items:
        rows = found[item.code]
        assert rows[0][0] == item.begins and rows[-1][1] is None
        for (_, until, _), (since, _, _) in zip(rows, rows[1:], strict=False):
            assert until is not None and until + timedelta(days=1) == since, item.code
        turns = {row[0] + timedelta(days=offset) for row in rows for offset in (-1, 0)}
        turns |= {e.day + timedelta(days=offset) for e in entries[item.code] for offset in (-1, 0, 180, 181)}
        for day in sorted({*turns, *probes, date(2027, 1, 1)}):
            if day >= item.begins:
                assert as_of(rows, day) == standing(item, entries[item.code], day), (item.code, day)
            else:
                assert as_of(rows, day) is None
