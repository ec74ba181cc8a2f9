"""Pages and pruning of the Data Docs."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from credit_warehouse.quality import Finding, Severity, State, site

PASSED = Finding(
    expectation_id="intake.x.volume_min",
    severity=Severity.BLOCK,
    state=State.PASSED,
    message="行数应不少于 10 行，实际 12 行",
    next_steps="请部门核对。",
    expected="≥ 10 行",
    observed="12 行",
)


def _page(*findings: Finding, is_passed: bool = True) -> str:
    from credit_warehouse.quality.pages import FindingsRenderer, FindingsView

    result = SimpleNamespace(
        suite_name="intake.court.x",
        results=[SimpleNamespace(meta={"finding": asdict(finding)}) for finding in findings],
        meta={
            "page": {
                "gate": "intake",
                "title": "判决执行 批次 3",
                "subtitle": "法院",
                "business_date": "2026-03-02",
                "is_passed": is_passed,
                "verdict": "通过" if is_passed else "未通过",
                "evaluated_at": "2026-03-02T17:05:00+00:00",
            }
        },
    )
    return FindingsView().render(FindingsRenderer().render(result))


def test_page_shows_failures_first_with_what_to_do() -> None:
    failed = replace(PASSED, state=State.FAILED, message="退回率超限", examples=({"batch_id": 3},))
    page = _page(PASSED, failed, is_passed=False)
    assert page.index("退回率超限") < page.index(PASSED.message)
    assert "处理：请部门核对。" in page and "batch_id=3" in page
    assert "2026-03-03 01:05:00" in page
    assert 'href="../../../../../../index.html"' in page


def test_warning_and_waiver_look_different_from_failure() -> None:
    page = _page(
        replace(PASSED, state=State.FAILED, severity=Severity.WARN),
        replace(PASSED, state=State.WAIVED, waiver="豁免 7：系统升级"),
    )
    assert "提醒" in page and "已豁免" in page and "豁免 7：系统升级" in page and "不合格" not in page


def test_what_departments_write_is_escaped() -> None:
    page = _page(replace(PASSED, state=State.FAILED, message="<script>alert(1)</script>"))
    assert "<script>" not in page and "&lt;script&gt;" in page


def _run(docs: Path, suite: str, time: str) -> None:
    for root, suffix in ((site.RESULTS, "json"), (site.PAGES, "html")):
        folder = docs / root / suite / f"run-{time}" / time
        folder.mkdir(parents=True)
        (folder / f"batch.{suffix}").write_text("{}")


def test_prune_keeps_the_newest_runs_of_each_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "KEPT_RUNS", 2)
    for time in ("20260303", "20260301", "20260302"):
        _run(tmp_path, "intake/court/x", time)
    _run(tmp_path, "publication", "20260101")
    site.prune(tmp_path)
    for root in (site.RESULTS, site.PAGES):
        kept = sorted(path.name for path in (tmp_path / root).rglob("2026*"))
        assert kept == ["20260101", "20260302", "20260303"]
        assert not (tmp_path / root / "intake/court/x/run-20260301").exists()
