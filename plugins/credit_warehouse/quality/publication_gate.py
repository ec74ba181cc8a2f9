"""Gate 2: a candidate publication against its suite, before the pointer moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from credit_warehouse.database import connect, sqlalchemy_url
from credit_warehouse.quality import candidate as candidates
from credit_warehouse.quality import library, results, waivers
from credit_warehouse.quality.candidate import Candidate
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Finding, GateFailed, GateReport, Severity, State
from credit_warehouse.settings import get_settings

if TYPE_CHECKING:
    from credit_warehouse.quality.engine import Documented


def gate_publication(publication_id: int, business_date: date) -> GateReport:
    """Judge the candidate as it would read, record every finding and write the page.

    Waivers and parameters are those live on ``business_date``.

    Raises:
        GateFailed: a blocking expectation failed without a waiver that holds, or could not be judged.
        ParameterMissing: a number that no contract holds is not entered in ``ops.gate_parameter``.
    """
    with connect(publication=publication_id) as connection:
        candidate = candidates.load(connection, publication_id, business_date)
        live = waivers.live(connection, "publication", business_date)
    report, documented = _judge(candidate, live)
    with connect() as connection:
        _record(connection, report)
        candidates.note_rows(connection, candidate)
    documented.publish()
    if not report.passed:
        raise GateFailed(report)
    return report


def _judge(candidate: Candidate, live: list[waivers.Waiver]) -> tuple[GateReport, Documented]:
    library.load()
    from credit_warehouse.quality import engine
    from expectations.publication import SUITE, publication_suites

    docs_dir = get_settings().data_docs_dir
    context = engine.open_context(docs_dir)
    documented = engine.Documented(context, docs_dir, candidate.business_date.isoformat())
    answers: list[Any] = []
    with engine.postgres(context, sqlalchemy_url(), candidate.publication_id) as source:
        for part in publication_suites(candidate):
            answers += _answers(engine.table_batch(source, part.table), part.suite)
    findings = [waivers.apply(_finding(answer), live) for answer in answers]
    batch_name = f"publication-{candidate.publication_id}"
    report = GateReport(
        candidate.publication_id, candidate.business_date, tuple(findings), documented.path(SUITE, batch_name)
    )
    documented.add(
        engine.combined(SUITE, answers),
        batch_name,
        report.findings,
        {
            "gate": "publication",
            "title": f"发布批次 {candidate.publication_id}",
            "subtitle": "全部集市",
            "business_date": candidate.business_date.isoformat(),
            "is_passed": report.passed,
            "verdict": "通过：该批次可以发布" if report.passed else "未通过：线上仍为上一次发布的数据",
        },
    )
    return report, documented


def _answers(batch: Any, suite: Any) -> Iterator[Any]:
    """Answers of one suite. Detail costs a second query, so only what failed pays for it."""
    from credit_warehouse.quality import engine

    expectations = {expectation.meta["id"]: expectation for expectation in suite.expectations}
    answers: list[Any] = list(engine.judge(batch, suite).results)
    for answer in answers:
        if library.state_of(answer) is not State.FAILED:
            yield answer
        else:
            yield engine.detail(batch, expectations[answer.expectation_config.meta["id"]])


def _finding(answer: Any) -> Finding:
    meta = answer.expectation_config.meta
    error = library.error_of(answer)
    state = library.state_of(answer)
    seen = answer.result or {}
    examples = tuple(_plain(example) for example in (seen.get("details") or {}).get("examples", ()))
    observed = _observed(meta, seen, examples)
    told = f"，无法判定（{error}）" if error else f"，实际 {observed}" if state is State.FAILED else ""
    return Finding(
        expectation_id=meta["id"],
        severity=Severity(meta["severity"]),
        state=state,
        message=meta["description_zh"] + told,
        next_steps=meta["next_steps_zh"] + ("" if meta.get("waivable", True) else "本项不可豁免。"),
        expected=meta["expected_zh"],
        observed=observed,
        feed=meta.get("feed"),
        failing_rows=seen.get("observed_value") if "details" in seen else None,
        examples=examples,
        is_waivable=meta.get("waivable", True),
    )


def _observed(meta: dict[str, Any], seen: dict[str, Any], examples: tuple[dict[str, Any], ...]) -> str | None:
    """The figure that failed, if the answer has one: rows found, or the column of the first row that holds it."""
    column = meta.get("observed")
    if column is not None:
        return figure(examples[0][column], Unit[meta["unit"]]) if examples else None
    value = seen.get("observed_value")
    return None if value is None else figure(value, Unit[meta["unit"]])


def _plain(example: dict[str, Any]) -> dict[str, Any]:
    """Keys as JSON can hold them."""
    return {name: value if isinstance(value, int | None) else str(value) for name, value in example.items()}


def _record(connection: psycopg.Connection, report: GateReport) -> None:
    results.record(
        connection,
        "publication",
        uuid4(),
        report.business_date,
        report.findings,
        report.docs_path,
        publication_id=report.publication_id,
    )
