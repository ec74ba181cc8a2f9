"""The bulletin of a built city: its figures are the marts', of one publication."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from credit_warehouse import bulletin, pipeline, publication
from credit_warehouse.bulletin.figures import NoFigures, gather
from credit_warehouse.database import connect

from .city import Row, deliver
from .conftest import Build

PENALTY = "market_regulation.administrative_penalty"
TRADES = "data_administration.professional_register"
NIGHT = date(2026, 3, 2)
MONTH = date(2026, 3, 1)


def words(path: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")))


def test_a_bulletin_tells_what_one_publication_knows(build: Build, tmp_path: Path) -> None:
    lawyer = {"group_code": "04", "district": "441302", "valid_from": date(2020, 1, 1)}
    deliver(TRADES, NIGHT, [Row("T1", "person", lawyer, subject_type="person")], is_initial=True)
    deliver(PENALTY, NIGHT, [Row("P1", "U1", {"decision_date": NIGHT})], is_initial=True)
    first = build(NIGHT)
    publication.publish(first, "test")
    # Decided in January, delivered in March: late, and more than half of what was timed.
    later = NIGHT + timedelta(days=1)
    late = [
        Row(f"P{number}", "person", {"decision_date": date(2026, 1, 5)}, subject_type="person")
        for number in (2, 3)
    ]
    deliver(PENALTY, later, late, quarantined=1)
    second = build(later)
    publication.publish(second, "test")

    page = words(bulletin.write(MONTH, folder=tmp_path))
    assert "惠州市2026年3月 公共信用信息归集情况通报" in page
    assert f"数据截至 {later} · 发布批次 {second}" in page and "当月未结束" in page
    assert "上报量 5" in page and "4 ÷ 5" in page, "four of five rows are good"
    assert re.search(r"惠州市市场监督管理局 行政处罚 100.00%\* 2 ÷ 2", page), "named: all late"
    assert re.search(r"重点人群 律师 1 1 100.00%", page), "the lawyer has a record of somebody else"

    # An earlier publication tells what it knew, today as then.
    before = words(bulletin.write(MONTH, first, tmp_path / "before"))
    assert f"发布批次 {first}" in before and "没有迟报率过半的数据项" in before
    assert re.search(r"重点人群 律师 1 0 0.00%", before)
    again = bulletin.write(MONTH, first, tmp_path / "again")
    assert again.read_bytes() == (tmp_path / "before" / again.name).read_bytes()

    written = pipeline.write_bulletins(later)
    assert [page.name for page in written] == ["惠州市-2026-03.html"], "nobody delivered in February"
    assert words(written[0]) == page
    april = pipeline.write_bulletins(date(2026, 4, 2))
    assert april == written, "the month before is written again: what came late belongs to it"
    with connect() as connection:
        noted = connection.execute(
            "select state, message from ops.outcome where step = 'bulletin'"
        ).fetchall()
    assert noted == [("succeeded", "已生成通报：惠州市-2026-03.html")] * 2

    with connect() as connection, pytest.raises(NoFigures, match="2026 年 02 月没有报送数据"):
        gather(connection, date(2026, 2, 1))


def test_nothing_published_is_told(warehouse: str) -> None:
    with connect() as connection, pytest.raises(NoFigures, match="还没有任何发布"):
        gather(connection, MONTH)
