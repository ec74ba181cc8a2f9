"""Files of officers' entries: taken whole, or refused with every fault by line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from credit_warehouse import entries
from credit_warehouse.cli.app import app
from credit_warehouse.database import connect

FEED = "market_regulation.administrative_penalty"
DEPARTMENT = "market_regulation"

FILES = {
    "spot-checks": (
        "部门编码,数据接口,来源,抽查单位,抽查日期,抽查文号,是否已报送,核对项数,不符项数,依据文书",
        f"{DEPARTMENT},{FEED},实地,省信用中心,2026-03-02,罚〔2026〕1号,否,12,2,抽查函1号",
    ),
    "declared-production": (
        "部门编码,数据接口,来源,月份,产生数,本单位公示数,依据文书",
        f"{DEPARTMENT},{FEED},月报,2026-03,31,,月报表",
    ),
    "outages": ("范围,开始日期,结束日期,原因,依据文书", "*,2026-03-02,2026-03-03,机房检修,运维单"),
    "zero-reports": (
        "部门编码,数据接口,来源,所属日期,报告日期,依据文书",
        f"{DEPARTMENT},{FEED},来函,2026-03-02,2026-03-04,零报告函",
    ),
}


def write(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "entries.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def stored(table: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(f"select * from ops.{table}").fetchall()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_kind_of_file_is_entered(warehouse: str, tmp_path: Path, encoding: str) -> None:
    for kind, lines in FILES.items():
        result = CliRunner().invoke(
            app, ["enter", kind, str(write(tmp_path, *lines, encoding=encoding)), "--by", "张三"]
        )
        assert result.exit_code == 0, result.output
        (row,) = stored(entries.KINDS[kind].table)
        assert "张三" in row


@pytest.mark.parametrize(
    ("kind", "column", "value", "fault"),
    [
        ("spot-checks", "抽查日期", "3月2日", "第 3 行“抽查日期”：不是日期，请按 2026-03-02 填写"),
        ("spot-checks", "是否已报送", "有", "第 3 行“是否已报送”：请填写 是 或 否"),
        ("spot-checks", "不符项数", "13", "第 3 行：“不符项数”13 大于“核对项数”12"),
        ("spot-checks", "数据接口", "court.x", "第 3 行“数据接口”：没有数据接口 court.x，请用 credit-warehouse feeds 核对"),
        ("spot-checks", "依据文书", "", "第 3 行“依据文书”：为必填项"),
        ("declared-production", "产生数", "-1", "第 3 行“产生数”：不是非负整数，请只填写数字"),
        ("declared-production", "月份", "2026-13", "第 3 行“月份”：不是日期，请按 2026-03-02 填写"),
        ("outages", "结束日期", "2026-03-01", "第 3 行：“结束日期”2026-03-01 早于“开始日期”2026-03-02"),
        ("outages", "范围", "机房", "第 3 行“范围”：请填写 *（全部）、数据来源或数据接口"),
        ("zero-reports", "报告日期", "2026-03-01", "第 3 行：“报告日期”2026-03-01 早于“所属日期”2026-03-02"),
    ],
)  # fmt: skip
def test_one_wrong_cell_refuses_the_file(
    warehouse: str, tmp_path: Path, kind: str, column: str, value: str, fault: str
) -> None:
    heads, right = FILES[kind]
    wrong = right.split(",")
    wrong[heads.split(",").index(column)] = value
    with pytest.raises(entries.EntriesRefused) as refused:
        entries.enter(kind, write(tmp_path, heads, right, ",".join(wrong)), "张三")
    assert refused.value.faults == [fault]
    assert stored(entries.KINDS[kind].table) == []


def test_a_feed_of_another_department_is_refused(warehouse: str, tmp_path: Path) -> None:
    heads, right = FILES["zero-reports"]
    with pytest.raises(entries.EntriesRefused, match="属于") as refused:
        entries.enter(
            "zero-reports", write(tmp_path, heads, right.replace(DEPARTMENT + ",", "tax,", 1)), "张三"
        )
    assert len(refused.value.faults) == 1


def test_heads_and_shape_are_checked_before_lines(warehouse: str, tmp_path: Path) -> None:
    with pytest.raises(entries.EntriesRefused) as refused:
        entries.enter(
            "outages", write(tmp_path, "范围,开始日期,结束日期,缘由,依据文书", "*,2026-03-02"), "张三"
        )
    assert refused.value.faults == [
        "第 1 行：缺少列“原因”",
        "第 1 行：不认识的列“缘由”，可用的列为 依据文书、作废、范围、开始日期、结束日期、原因",
        "第 2 行：有 2 列，表头为 5 列",
    ]
    with pytest.raises(entries.EntriesRefused, match="没有数据行"):
        entries.enter("outages", write(tmp_path, FILES["outages"][0]), "张三")


def test_an_entry_is_never_changed(warehouse: str, tmp_path: Path) -> None:
    entries.enter("outages", write(tmp_path, *FILES["outages"]), "张三")
    with pytest.raises(psycopg.errors.RaiseException, match="只能追加"), connect() as connection:
        connection.execute("delete from ops.outage")
