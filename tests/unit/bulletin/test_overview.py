"""The leaders' page: nothing is invented, small counts are kept back, nothing of the data is markup."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_warehouse.bulletin.overview import STATUS_COLOURS, Cell, render
from credit_warehouse.bulletin.overview_figures import MONTHS, SHOWN, WEEKS, Overview
from credit_warehouse.cli.plan_cli import Status

from .test_page import metrics, value

NIGHT = date(2026, 3, 4)


def overview(**changes: Any) -> Overview:
    content: dict[str, Any] = {
        "publication": {"publication_id": 7, "business_date": NIGHT, "closed_at": None, "age_days": 0},
        "gate": {"通过": 140, "豁免": 1, "提示": 0},
        "city": {"city_name": "惠州市", "office_name": "惠州市信用办"},
        "metrics": metrics(),
        "overall": {"department_coverage_rate": value(3, 4)},
        "small_count": 30,
        "coverage": [],
        "ranking": [],
        "scores": [],
        "weeks": [],
        "stale": [],
        "subjects": [
            {"subject_type": "person", "subjects": 29},
            {"subject_type": "organisation", "subjects": 1234},
        ],
        "records": [{"record_category": "行政处罚", "effect": "adverse", "records": 12}],
        "listed": 0,
        "tasks": [],
        "overdue": [],
    }
    return Overview(**{**content, **changes})


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_metric_shown_is_in_the_dictionary_and_every_status_has_a_colour() -> None:
    assert set(SHOWN) <= set(metrics())
    assert set(STATUS_COLOURS) == set(get_args(Status))


def test_counts_of_few_are_not_told_and_nobody_is_nought() -> None:
    page = words(render(overview()))
    assert "有在效记录的自然人 &lt;30" in page and "有在效记录的组织 1,234" in page
    assert "行政处罚 &lt;30 0 0" in page and "严重失信在列 0" in page


def test_gate_age_and_what_nobody_measured_are_told() -> None:
    page = words(render(overview()))
    assert "业务日期 2026-03-04" in page and "发布批次 7" in page
    assert "通过 140 项 豁免 1 项" in page
    assert "部门覆盖率 75.00% 3 ÷ 4" in page and "合规率（本月） 未知" in page


def test_the_heat_map_has_a_cell_for_each_week_and_tells_the_empty_from_the_bad() -> None:
    def row(code: str, week: date, on_time: int | None, timed: int | None) -> dict[str, Any]:
        return {
            "department_code": code,
            "department_name": f"{code}局",
            "week": week,
            "on_time": on_time,
            "timed": timed,
        }

    rows = [
        row("tax", date(2026, 3, 2), 45, 60),
        row("tax", date(2026, 2, 23), 0, 5),
        row("court", date(2026, 3, 2), None, None),
    ]
    page = render(overview(weeks=rows))
    tax, court = re.findall(r"<tr><td>(?:tax|court)局</td>.*?</tr>", page)
    assert tax.count("<td") == court.count("<td") == WEEKS + 1
    assert words(tax).split() == ["tax局", "0*", "75"] and words(court).split() == ["court局", "—"]
    assert 'title="45 ÷ 60"' in tax


@given(st.decimals(0, 1, places=4))
def test_a_worse_week_is_never_greener(rate: Decimal) -> None:
    def hue(share: Decimal) -> int:
        return int(re.findall(r"\d+", Cell(share, 0, 0, False).colour)[0])

    assert 0 <= hue(rate / 2) <= hue(rate) <= 120


def test_the_trend_spans_the_months_across_the_year() -> None:
    ranked = {
        "department_code": "tax", "department_name": "税务局<script>", "place": 1, "score": Decimal(90), "assessed_points": Decimal(12),
        "full_points": Decimal(53), "place_before": 2,
    }  # fmt: skip
    scores = [
        {"department_code": "tax", "month": month, "score": Decimal(score)}
        for month, score in ((date(2025, 4, 1), 50), (date(2026, 2, 1), 80), (date(2026, 3, 1), 90))
    ]
    page = render(overview(ranking=[ranked], scores=scores))
    assert page.count("<circle") == 3, f"all within {MONTHS} months"
    assert "<script" not in page and "↑" in page


def test_the_page_needs_no_network_and_forbids_it() -> None:
    page = render(overview())
    assert not re.search(r"https?://|<script|@import|url\(", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("lead", [None, [], ["市公安局", "市教育局"]])
def test_overdue_tasks_name_who_leads(lead: list[str] | None) -> None:
    task = {
        "article": "二(一)1",
        "task": "实名登记",
        "lead_units": lead,
        "due_on": None,
        "status_label": "逾期",
    }
    assert ("市公安局、市教育局" if lead else "规划未列明") in render(overview(overdue=[task]))
