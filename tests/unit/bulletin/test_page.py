"""The bulletin's page: what is unknown says so, nothing of the data is taken for markup, the chart fits its frame."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from credit_warehouse.bulletin import charts
from credit_warehouse.bulletin.figures import OVERALL, RANKED, Bulletin, month_end
from credit_warehouse.bulletin.page import render
from credit_warehouse.metrics import load_metrics


def metrics() -> dict[str, dict[str, Any]]:
    return {
        metric.code: {
            "metric_code": metric.code,
            "metric_label": metric.label,
            "formula": metric.formula,
            "unit": metric.unit,
            "source": metric.source,
        }
        for metric in load_metrics()
    }


def value(numerator: int | None, denominator: int | None = None, small: bool = False) -> dict[str, Any]:
    rate = Decimal(numerator) / denominator if numerator is not None and denominator else None
    return {
        "numerator": numerator,
        "denominator": denominator,
        "rate": rate,
        "is_small": small,
        "is_known": numerator is not None,
    }


def bulletin(**changes: Any) -> Bulletin:
    content: dict[str, Any] = {
        "month": date(2026, 3, 1),
        "as_of": date(2026, 3, 31),
        "publication_id": 7,
        "night": date(2026, 4, 2),
        "city": {"city_name": "惠州市", "office_name": "惠州市信用办"},
        "metrics": metrics(),
        "overall": {"delivered_rows": value(12404), "compliance_rate": value(11463, 12404)},
        "ranking": [],
        "trend": [],
        "late_units": [],
        "missing": [],
        "corrections": [],
        "broken_rules": [],
        "coverage": [],
        "tasks": [],
        "targets": [],
        "overdue": [],
    }
    return Bulletin(**{**content, **changes})


def ranked(**figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "department_code": "tax",
        "department_name": "税务局<script>alert(1)</script>",
        "place": 1,
        "score": Decimal("92.83"),
        "assessed_points": Decimal(12),
        "full_points": Decimal(53),
        "place_before": 3,
        "score_before": Decimal(80),
        "metrics": figures,
    }


def test_every_metric_of_the_bulletin_is_in_the_dictionary() -> None:
    assert set(RANKED) | set(OVERALL) <= set(metrics())


def test_rates_stand_with_their_fraction_and_the_unknown_is_neither_nought_nor_all() -> None:
    figures = {
        "delivered_rows": value(1744),
        "compliance_rate": value(9, 10, small=True),
        "timeliness_rate": value(0, 0),
        "missing_period_rate": value(None),
    }
    page = render(bulletin(ranking=[ranked(**figures)]))
    assert "92.41%" in page and "11,463 ÷ 12,404" in page
    row = re.sub(r"<[^>]+>", "|", page[page.index("税务局") : page.index("近十二个月走势")])
    cells = [cell.strip() for cell in row.split("|") if cell.strip()]
    assert "90.00%*" in cells and "9 ÷ 10" in cells, "a small sample is marked"
    assert "无应计" in cells, "nothing was due"
    assert cells.count("未知") == len(RANKED) - 3
    assert "↑" in cells, "third last month, first now"


def test_nothing_of_the_data_is_markup() -> None:
    page = render(bulletin(ranking=[ranked()], overdue=[overdue("<img src=x onerror=alert(1)>")]))
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;" in page and "&lt;img" in page


def overdue(task: str) -> dict[str, Any]:
    return {
        "plan_title": "方案",
        "article": "二(一)1",
        "task": task,
        "lead_units": ["市公安局", "市教育局"],
        "due_on": None,
        "status_label": "逾期",
    }


def test_units_and_deadlines_are_words() -> None:
    page = render(bulletin(overdue=[overdue("完善个人实名登记制度")]))
    assert "市公安局、市教育局" in page and "长期" in page


def test_a_month_that_is_not_over_says_so() -> None:
    assert "阶段性" not in render(bulletin())
    assert "阶段性" in render(bulletin(as_of=date(2026, 3, 2)))


def test_the_page_needs_no_network() -> None:
    page = render(bulletin(ranking=[ranked()]))
    assert not re.search(r"https?://|<script|@import|url\(", page)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_month_end_is_the_day_before_another_month(day: date) -> None:
    first = day.replace(day=1)
    end = month_end(first)
    assert (end.year, end.month) == (first.year, first.month)
    assert date.fromordinal(end.toordinal() + 1).day == 1


@given(st.lists(st.none() | st.decimals(0, 1, places=4), min_size=1, max_size=24))
def test_a_line_stays_in_its_frame_and_breaks_where_nothing_is_known(values: list[Decimal | None]) -> None:
    months = [f"{number}月" for number in range(len(values))]
    drawn = charts.draw(months, [("合规率", "#000", values)], Decimal(1), [])
    (line,) = drawn.lines
    points = [tuple(map(float, point.split(","))) for piece in line.points for point in piece.split()]
    known = [value for value in values if value is not None]
    assert len(points) == len(line.dots) == len(known)
    assert all(charts.LEFT <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in points)
    # Higher is more.
    heights = {value: y for value, (_, y) in zip(known, points, strict=True)}
    assert sorted(heights.values(), reverse=True) == [heights[value] for value in sorted(heights)]
    stretches = "".join("x" if value is not None else " " for value in values).split()
    assert len(line.points) == len(stretches)
