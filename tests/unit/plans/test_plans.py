"""What the plans' files hold, and what the loader refuses."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from credit_warehouse.plans import PlanError, load_plans
from credit_warehouse.settings import PROJECT_DIR

PLANS = load_plans()
Change = Callable[[str, str, str], Path]


def test_all_six_plans_are_there() -> None:
    assert Counter(task.plan for task in PLANS.tasks) == {
        "huizhou_personal": 17,
        "xingning_planning": 126,
        "yulin_personal": 18,
        "daoli_personal": 16,
        "baoshan_personal": 19,
        "baoshan_government": 17,
    }
    assert Counter(target.plan for target in PLANS.targets) == {
        "huizhou_personal": 8,
        "xingning_planning": 56,
        "daoli_personal": 1,
        "baoshan_personal": 1,
    }
    assert (len(PLANS.tasks), len(PLANS.targets)) == (213, 66)


def test_every_unit_string_names_a_unit_of_its_own_city() -> None:
    named = {key for task in PLANS.tasks for key in (*task.lead, *task.responsible)}
    assert len({unit.name for unit in PLANS.units if unit.key in named}) == 113
    assert len(named) == 132, "a name in two cities is two units"
    assert all(key.startswith(task.plan.split("_")[0]) for task in PLANS.tasks for key in task.lead)


def test_deadlines_are_those_of_the_fact_sheet() -> None:
    """DOMAIN.md §1.8 counts them."""
    dated = Counter(task.due_on for task in PLANS.tasks if task.deadline_kind == "dated")
    assert dated == {
        date(2018, 6, 30): 8,
        date(2018, 12, 31): 7,
        date(2019, 12, 31): 3,
        date(2016, 12, 31): 8,
        date(2017, 12, 31): 1,
        date(2020, 12, 31): 11,
    }
    kinds = Counter(task.deadline_kind for task in PLANS.tasks)
    assert (kinds["ongoing"], kinds["undated"]) == (21, 154)
    assert {task.due_on for task in PLANS.tasks if task.deadline_kind == "undated"} == {date(2020, 12, 31)}


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    def change(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "plans"
        shutil.copytree(PROJECT_DIR / "plans", folder)
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return change


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("tasks.csv", ";市邮政管理局,", ";市邮局,", "第 2 行.*huizhou.*市邮局"),
        ("tasks.csv", "惠州市个人诚信", "惠城区个人诚信", "第 2 行.*plans.yaml 没有"),
        ("units.yaml", "successors: [health]", "successors: [hospital]", "unknown successor hospital"),
        ("units.yaml", "validFrom: 2019-01-01}", "validFrom: 2019-02-01}", "must exist the day after"),
        (
            "units.yaml",
            "name: 市教育局}",
            "name: 市公安局}",
            "two units are called 市公安局|没有 huizhou 的 市教育局",
        ),
        ("units.yaml", "department: social_security", "department: schools", "没有部门 schools"),
        (
            "units.yaml",
            "{code: education, name: 市教育局}",
            "{code: education, name: 市教育局, colour: red}",
            "colour",
        ),
        ("measures.yaml", "metric: 个人信用信息记录覆盖率", "metric: 个人覆盖率", "measures.yaml 的指标不在"),
        ("measures.yaml", "groups: [公务员]", "groups: []", "groups go with professional_group"),
        ("plans.yaml", "city: yulin", "city: xian", "没有 cities/xian.yaml"),
        ("targets.csv", ",100,%,2020-12-31", ",120,%,2020-12-31", "less than or equal to 100"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    changed: Change, file: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(PlanError, match=f"(?s){message}"):
        load_plans(changed(file, old, new))


def test_succession_that_comes_back_to_itself_is_refused(changed: Change) -> None:
    folder = changed(
        "units.yaml",
        "{code: health, name: 市卫生健康局, validFrom: 2019-01-01}",
        "{code: health, name: 市卫生健康局, validFrom: 2019-01-01, validTo: 2020-01-01,"
        " successors: [health_family_planning], change: 样例}",
    )
    with pytest.raises(PlanError, match="health_family_planning must exist the day after 2020-01-01"):
        load_plans(folder)


def test_two_units_of_one_name_at_one_time_are_refused(changed: Change) -> None:
    folder = changed(
        "units.yaml", "  - {code: post,", "  - {code: second_post, name: 市邮政管理局}\n  - {code: post,"
    )
    with pytest.raises(PlanError, match="two units are called 市邮政管理局"):
        load_plans(folder)
