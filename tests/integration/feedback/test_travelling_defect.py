"""A defect travels: delivered wrong, quarantined, returned, corrected over a weekend and a holiday, accepted, closed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from credit_warehouse import pipeline, publication
from credit_warehouse.cli.app import app
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.feedback import closing
from credit_warehouse.feedback.closing import ClosingRefused
from credit_warehouse.settings import PROJECT_DIR
from tests.dbt.dbt_process import dbt
from tests.integration.conftest import Nights
from tests.unit.intake.deliveries import DEBTOR_ROW, court_zip, csv_bytes

FEED = "court.dishonest_judgment_debtor"
CONTRACT = load_contracts()[FEED]
FRIDAY = date(2026, 4, 3)
"""The last working day before 清明 (4 to 6 April)."""
TUESDAY, WEDNESDAY, LATER = date(2026, 4, 7), date(2026, 4, 8), date(2026, 4, 15)
ENOUGH = [{**DEBTOR_ROW, "record_no": str(number)} for number in range(120)]
"""What a first delivery must hold at least, and nothing wrong."""
Value = dict[str, str]


def row(record: str, **values: str) -> Value:
    return {**DEBTOR_ROW, "record_no": record, "updated_at": "2026-04-03 09:00:00", **values}


def night(nights: Nights, day: date, rows: list[Value]) -> list[dict[str, Any]]:
    """The court delivers these rows, the night takes them in, and gives back what it reads: the rows of its package."""
    folder = nights.simulator.office.root("court") / "outbox" / f"{day:%Y%m%d}"
    folder.mkdir(parents=True)
    court_zip(folder / f"{FEED}_{day:%Y%m%d}.zip", CONTRACT, csv_bytes(CONTRACT, rows), len(rows))
    pipeline.pull(FEED, day, nights.reach["court"])
    pipeline.load(FEED, day)
    assert pipeline.gate("court", day)["accepted"] == 1
    sent = pipeline.return_feedback("court", day, nights.reach["court"])
    if not sent.acknowledged:
        return []
    place = nights.simulator.home / "court" / "feedback" / f"{day:%Y%m%d}" / f"{sent.acknowledged[0]}.json"
    told: list[dict[str, Any]] = json.loads(place.read_text(encoding="utf-8"))["rows"]
    return told


def states() -> dict[tuple[date, str | None], str]:
    """State of every returned row, by night and record number as delivered; before any model runs."""
    with connect() as connection:
        return {
            (day, record): state
            for day, record, state in connection.execute(
                "select business_date, payload ->> '编号', row.state from quarantine.rejected_row as row"
                " join ops.batch using (batch_id)"
            )
        }


def test_a_defect_travels(
    simulator_with: Callable[..., AbstractContextManager[Nights]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulator_with() as nights:
        wrong = [row("A", status="?"), row("B", status="?"), row("C", status="?"), row("", status="发布")]
        twice = [row("D"), row("D", updated_at="2026-04-03 10:00:00")]
        told = night(nights, FRIDAY, [*ENOUGH, *wrong, *twice])
        assert [
            (one["source_row"], [error["error_code"] for error in one["violations"]]) for one in told
        ] == [
            (121, [30003]),
            (122, [30003]),
            (123, [30003]),
            (124, [10005]),
            (125, [20001]),
        ]
        first = told[0]
        assert first["payload"]["编号"] == "A" and first["violations"][0]["value"] == "?"

        told = night(nights, TUESDAY, [row("B", status="?"), *(row(f"Z{n}") for n in range(9))])
        assert [one["payload"]["编号"] for one in told] == ["B"]
        assert night(nights, WEDNESDAY, [row("A"), row("B"), row("E")]) == []

    assert states() == {
        (FRIDAY, "A"): "已修改",
        (FRIDAY, "B"): "已处理",
        (FRIDAY, "C"): "未处理",
        (FRIDAY, None): "未处理",
        (FRIDAY, "D"): "已处理",
        (TUESDAY, "B"): "已修改",
    }
    ((batch,),) = _read("select min(batch_id) from ops.batch")
    _refused(batch, 124, FRIDAY, " ", "理由")
    _refused(batch, 124, date(2026, 4, 2), "李四", "复函")
    _refused(batch, 121, LATER, "李四", "已修改的不能再办结")
    _refused(batch, 1, LATER, "李四", "没有退回")
    ignore = [
        "--batch",
        str(batch),
        "--row",
        "124",
        "--on",
        str(LATER),
        "--by",
        "李四",
        "--reason",
        "中院复函",
    ]
    assert f"批次 {batch} 第 124 行已忽略" in _command("quarantine", "ignore", *ignore)
    assert "已于 2026-04-15 办结" in _command("quarantine", "ignore", *ignore, exit_code=1)
    assert "FB-court-20260403-01" in _command("feedback", "list", "--source", "court")
    assert "30003" in _command("feedback", "show", "FB-court-20260403-01")
    assert "没有新的退回内容" in _command("feedback", "build", "--source", "court", "--date", str(LATER))
    assert states()[FRIDAY, None] == "已忽略"

    _publish(monkeypatch, LATER)
    assert _read(
        "select opened_on, source_row, outcome, closed_on, due_on, workdays, is_corrected_in_time, is_key_whole"
        " from mart.feedback_item order by 1, 2"
    ) == [
        (FRIDAY, 121, "corrected", WEDNESDAY, date(2026, 4, 13), 2, True, True),
        (FRIDAY, 122, "rerejected", TUESDAY, date(2026, 4, 13), 1, False, True),
        (FRIDAY, 123, "open", None, date(2026, 4, 13), None, False, True),
        (FRIDAY, 124, "ignored", LATER, date(2026, 4, 13), 7, False, False),
        (FRIDAY, 125, "duplicate", FRIDAY, date(2026, 4, 13), 0, False, True),
        (TUESDAY, 1, "corrected", WEDNESDAY, date(2026, 4, 14), 1, True, True),
    ]


def _command(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == exit_code, result.output
    return result.output


def _refused(batch: int, source_row: int, on: date, by: str, reason: str) -> None:
    with pytest.raises(ClosingRefused, match=f"批次 {batch} 第 {source_row} 行"):
        closing.close_by_person(batch, source_row, "ignored", on, by, reason)


def _read(statement: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def _publish(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    opened = publication.open_candidate(day)
    assert opened is not None
    project = PROJECT_DIR / "dbt_project"
    dbt(monkeypatch, project, opened.publication_id, day, "seed")
    dbt(monkeypatch, project, opened.publication_id, day, "run", "--select", "+feedback_item")
    publication.publish(opened.publication_id, "test")
