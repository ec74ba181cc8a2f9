"""Words and decisions that need neither database nor Great Expectations."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from credit_warehouse.quality import (
    Finding,
    GateFailed,
    GateOutcome,
    GateReport,
    ParameterMissing,
    Severity,
    State,
)
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.parameters import Parameters
from credit_warehouse.quality.waivers import Waiver, apply

DAY = date(2026, 3, 2)
FAILED = Finding(
    expectation_id="publication.x",
    severity=Severity.BLOCK,
    state=State.FAILED,
    message="甲应等于乙，实际 3 行",
    next_steps="本中心排查。",
    expected="0 行",
    feed="tax.tax_arrears",
)
WAIVER = Waiver(7, "publication.x", None, "系统升级", "李主任", DAY)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1234567, Unit.ROWS, "1,234,567 行"),
        (0.3, Unit.SHARE, "30 %"),
        (0.12345, Unit.SHARE, "12.35 %"),
        (0, Unit.COLUMNS, "0 列"),
        (None, Unit.DAYS, "无数据"),
        (float("nan"), Unit.DAYS, "无数据"),
    ],
)
def test_figures(value: float | None, unit: Unit, words: str) -> None:
    assert figure(value, unit) == words


@pytest.mark.parametrize(
    ("severity", "state", "blocks"),
    [
        (Severity.BLOCK, State.FAILED, True),
        (Severity.BLOCK, State.ERROR, True),
        (Severity.BLOCK, State.WAIVED, False),
        (Severity.BLOCK, State.PASSED, False),
        (Severity.WARN, State.FAILED, False),
        (Severity.WARN, State.ERROR, False),
    ],
)
def test_what_blocks(severity: Severity, state: State, blocks: bool) -> None:
    finding = replace(FAILED, severity=severity, state=state)
    assert finding.blocks == blocks
    assert GateOutcome(1, "tax.tax_arrears", (finding,), "x").passed == (not blocks)
    assert GateReport(1, DAY, (finding,), "x").passed == (not blocks)


def test_a_failed_gate_says_which_on_what_and_what_to_do() -> None:
    report = GateReport(41, DAY, (FAILED, replace(FAILED, state=State.PASSED)), "x")
    assert str(GateFailed(report)) == (
        "发布批次 41 未通过发布检查（1 项），线上仍为上一次发布的数据。\n"
        "1. [publication.x] 甲应等于乙，实际 3 行。本中心排查。"
    )


def test_a_passed_gate_counts_what_it_let_through() -> None:
    findings = (
        FAILED.waived(7, "…"),
        replace(FAILED, severity=Severity.WARN),
        replace(FAILED, state=State.PASSED),
    )
    assert (
        GateReport(41, DAY, findings, "x").message == "发布批次 41 通过发布检查：1 项合格，1 项提醒，1 项豁免"
    )


@pytest.mark.parametrize(
    ("finding", "waiver", "state"),
    [
        (FAILED, WAIVER, State.WAIVED),
        (FAILED, replace(WAIVER, feed="tax.tax_arrears"), State.WAIVED),
        (FAILED, replace(WAIVER, feed="court.judgment_enforcement"), State.FAILED),
        (FAILED, replace(WAIVER, expectation_id="publication.y"), State.FAILED),
        (replace(FAILED, is_waivable=False), WAIVER, State.FAILED),
        (replace(FAILED, state=State.ERROR), WAIVER, State.ERROR),
        (replace(FAILED, state=State.PASSED), WAIVER, State.PASSED),
    ],
)
def test_waivers(finding: Finding, waiver: Waiver, state: State) -> None:
    waived = apply(finding, [waiver])
    assert waived.state is state
    assert waived.waiver == (
        "豁免 7：系统升级（负责人 李主任，至 2026-03-02）" if state is State.WAIVED else None
    )


def test_parameters_prefer_the_exact_scope_and_the_newest_row() -> None:
    parameters = Parameters(
        DAY,
        [
            ("drop", "*", 0.2, "share", "旧"),
            ("drop", "*", 0.1, "share", "新"),
            ("drop", "a", 0, "share", "甲"),
        ],
    )
    assert (parameters.get("drop", "a").value, parameters.get("drop", "b").source) == (0, "新")
    with pytest.raises(ParameterMissing, match="2026-03-02"):
        parameters.get("rise")


def test_importing_the_gates_does_not_load_the_library() -> None:
    code = "import sys, credit_warehouse.quality; sys.exit('great_expectations' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
