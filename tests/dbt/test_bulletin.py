"""The bulletin of a built city: its figures are the marts', of one publication."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from credit_warehouse import bulletin, pipeline, publication
from credit_warehouse.bulletin.figures import NoFigures, gather
from credit_warehouse.bulletin.printing import browser
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
    names = ["惠州市-总览.html", "惠州市-2026-03.html"]
    assert [page.name for page in written] == names, "nobody delivered in February"
    assert words(written[1]) == page
    april = pipeline.write_bulletins(date(2026, 4, 2))
    assert april == written, "the month before is written again: what came late belongs to it"
    assert all(page.with_suffix(".pdf").exists() == (browser() is not None) for page in written)
    with connect() as connection:
        noted = connection.execute(
            "select state, message from ops.outcome where step = 'bulletin'"
        ).fetchall()
    assert [(state, message.split("（")[0]) for state, message in noted] == [
        ("succeeded", f"已生成：{'、'.join(names)}")
    ] * 2

    with connect() as connection, pytest.raises(NoFigures, match="2026 年 02 月没有报送数据"):
        gather(connection, date(2026, 2, 1))


def test_the_leaders_page_tells_the_figures_of_the_marts(build: Build, tmp_path: Path) -> None:
    lawyer = {"group_code": "04", "district": "441302", "valid_from": date(2020, 1, 1)}
    deliver(TRADES, NIGHT, [Row("T1", "person", lawyer, subject_type="person")], is_initial=True)
    deliver(PENALTY, NIGHT, [Row("P1", "U1", {"decision_date": NIGHT})], is_initial=True)
    first = build(NIGHT)
    publication.publish(first, "test")
    later = NIGHT + timedelta(days=7)  # past the validity of what came first
    decided = [date(2026, 1, 5), later, *[later - timedelta(days=1)] * 38]
    deliver(
        PENALTY,
        later,
        [Row(f"N{number}", f"U{number}", {"decision_date": day}) for number, day in enumerate(decided)],
        quarantined=10,
    )
    second = build(later)
    publication.publish(second, "test")

    page = words(bulletin.write_overview(folder=tmp_path))
    assert f"业务日期 {later}" in page and f"发布批次 {second}" in page
    assert "无检验结果" in page, "no gate has judged this one, and the page does not pretend"
    with connect() as connection:
        connection.execute("set local role credit_leader")
        metric = {
            code: (numerator, denominator)
            for code, numerator, denominator in connection.execute(
                "select metric_code, numerator, denominator from mart.domain_metric_monthly"
                " where domain = '全市' and month = %s and is_known",
                [later.replace(day=1)],
            )
        }
        ranking = connection.execute(
            "select place, department_name, score from mart.department_ranking_monthly"
            " where month = %s and place is not null",
            [later.replace(day=1)],
        ).fetchall()
        tasks = connection.execute(
            "select status_label, count(*) from mart.plan_task_status where held_from <= %(day)s"
            " and (held_until is null or held_until >= %(day)s) group by plan_title, status_label",
            {"day": later},
        ).fetchall()
        overdue = connection.execute(
            "select count(*) from mart.plan_standing where item_kind = 'task' and status in ('overdue', 'never_evidenced')"
        ).fetchone()
    with connect() as connection:
        counts = connection.execute(
            "select count(*), count(*) filter (where effect = 'adverse'), count(*) filter (where effect = 'neutral')"
            " from mart.credit_record where record_category = '行政处罚'"
        ).fetchone()
    for code, label in (("department_coverage_rate", "部门覆盖率"), ("compliance_rate", "合规率（本月）")):
        numerator, denominator = metric[code]
        assert re.search(rf"{label} \S+ {numerator:,.0f} ÷ {denominator:,.0f}", page), label
    assert "合规率（本月） 80.77% 42 ÷ 52" in page, "of 52 rows ten were sent back"
    assert ranking and all(f"{place} {name} {score}" in page for place, name, score in ranking)
    assert tasks and all(f"{label} {number}" in page for label, number in tasks)
    assert overdue and f"逾期的规划任务 {overdue[0]}" in page
    assert counts and counts[0] in counts[1:] and counts[0] >= 40
    assert f"行政处罚 {counts[1]} {counts[2]} 0" in page, "on display"
    # 39 of 40 in time: the week of the first night had its backlog, which no clock runs for.
    heat = page[page.index("及时率（部门 × 周）") : page.index("建档覆盖 对象")]
    assert re.search(r"惠州市市场监督管理局 — 98 ", heat)

    # Taken back: the page follows what readers see.
    publication.rollback(first, "演练", "test")
    before = words(pipeline.write_bulletins(NIGHT)[0])
    assert f"发布批次 {first}" in before
    assert "资质资格 0 &lt;30 0" in before and "行政处罚" not in before[: before.index("规划进展")]


def test_nothing_published_is_told(warehouse: str) -> None:
    with connect() as connection, pytest.raises(NoFigures, match="还没有任何发布"):
        gather(connection, MONTH)
