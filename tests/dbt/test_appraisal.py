"""The score sheet of a year, point by point, against the arithmetic of the sheet done by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect

from .city import Row, deliver
from .conftest import Build

PENALTY = "market_regulation.administrative_penalty"
HONOUR = "market_regulation.honour"
COURT = "court.dishonest_judgment_debtor"
NIGHT = date(2026, 3, 2)


def enter(department: str, indicator: str, points: float, year: int = 2026, void: bool = False) -> None:
    with connect() as connection:
        connection.execute(
            "insert into ops.appraisal_entry (year, department_code, indicator_code, points, reason, document, is_void)"
            " values (%s, %s, %s, %s, '季度通报', '惠信用办〔2026〕3号', %s)",
            [year, department, indicator, points, void],
        )


def test_points_follow_from_metrics_and_officers(build: Build) -> None:
    decided = [date(2026, 2, 27)] * 3 + [date(2026, 1, 5)]
    values = [{"decision_date": day, "updated_at": datetime(2026, 3, 2, 8)} for day in decided]
    rows = [Row(f"P{number}", "U1", each) for number, each in enumerate(values)]
    deliver(PENALTY, NIGHT, rows, quarantined=1)
    deliver(HONOUR, NIGHT, [Row("H1", "U1", {}), Row("H2", "U1", {})])
    enter("market_regulation", "organisation", 31)
    enter("market_regulation", "organisation", 36.5)
    enter("market_regulation", "innovation", 4)
    enter("market_regulation", "channel", 2)
    enter("market_regulation", "channel", 2, void=True)
    publication.publish(build(NIGHT), "test")

    points = {
        row["indicator_code"]: row
        for row in read("select * from mart.appraisal_point where department_code = 'market_regulation'")
    }
    # Officers: the newest entry, and none where it was taken back.
    assert points["organisation"]["points"] == Decimal("36.5")
    assert "惠信用办〔2026〕3号" in points["organisation"]["explanation"]
    assert points["channel"]["points"] is None and points["channel"]["explanation"] == "未评定"
    # 6 of 7 rows of the whole department reached the warehouse: below 95 %, so in proportion.
    assert fraction(points["landing"]) == (6, 7)
    assert points["landing"]["points"] == Decimal("5.14")
    assert points["landing"]["is_small"]
    # 4 of 5 of the double publicity alone.
    assert fraction(points["publicity_compliance"]) == (4, 5)
    assert points["publicity_compliance"]["points"] == Decimal("4.00")
    # 3 of 4 within seven working days.
    assert fraction(points["publicity_timeliness"]) == (3, 4)
    assert points["publicity_timeliness"]["points"] == Decimal("7.50")
    # Nobody declared what was decided, nobody checked in the field: neither full marks nor none.
    for unknown in ("volume", "publicity_reporting", "publicity_concealment"):
        assert points[unknown]["points"] is None and points[unknown]["rate"] is None

    score = read("select * from mart.appraisal_score where department_code = 'market_regulation'")[0]
    given = [row for row in points.values() if row["points"] is not None]
    regular = [row for row in given if not row["is_bonus"]]
    assert score["points"] == sum(row["points"] for row in given)
    assert score["assessed_points"] == sum(row["max_points"] for row in regular)
    assert score["full_points"] == 100
    share = 100 * sum(row["points"] for row in regular) / score["assessed_points"]
    assert score["score"] == round(share + 4, 2)
    assert set(score["not_assessed"]) >= {"报送渠道", "信息量", "双公示瞒报"}
    assert score["is_provisional"] and score["place"] == 1

    # One month, measured lines only: what the year has so far.
    month = read("select * from mart.department_ranking_monthly where department_code = 'market_regulation'")
    measured = [row for row in regular if row["metric_code"]]
    assert [row["month"] for row in month] == [date(2026, 3, 1)]
    assert month[0]["points"] == sum(row["points"] for row in measured)
    assert month[0]["assessed_points"] == sum(row["max_points"] for row in measured)


def test_a_rate_that_is_better_low_is_turned_round(build: Build) -> None:
    deliver(PENALTY, NIGHT, [Row("P1", "U1", {"decision_date": NIGHT})])
    with connect() as connection:
        for number in range(4):
            connection.execute(
                "insert into ops.spot_check (sampler, source, sampled_on, department_code, feed, document_no, found,"
                " fields_checked, fields_wrong, document)"
                " values ('省信用办', '省级抽查', %s, 'market_regulation', %s, %s, %s, 5, 0, '抽查通报')",
                [NIGHT, PENALTY, f"文号{number}", number > 0],
            )
    publication.publish(build(NIGHT), "test")
    row = read("select * from mart.appraisal_point where indicator_code = 'publicity_concealment'")[0]
    assert fraction(row) == (1, 4)
    assert row["points"] == Decimal("3.75")


@pytest.mark.parametrize(
    ("department", "indicator", "points", "year", "complaint"),
    [
        ("market_regulation", "organisation", 41, 2026, "满分 40.00 分"),
        ("market_regulation", "landing", 1, 2026, "没有需要评定的指标"),
        ("market_regulation", "organisation", 1, 2017, "2017 年的评分表"),
        ("nobody", "organisation", 1, 2026, "没有报送单位"),
    ],
)
def test_points_that_cannot_be(
    warehouse: str, department: str, indicator: str, points: float, year: int, complaint: str
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=complaint):
        enter(department, indicator, points, year)


def fraction(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["numerator"]), int(row["denominator"])


def read(query: str) -> list[dict[str, Any]]:
    with connect() as connection, connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(query).fetchall()
