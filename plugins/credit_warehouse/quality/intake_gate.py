"""Gate 1: the batches of a source, each against the suite of its feed, before anything reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.quality import batch_profile, library, results, waivers
from credit_warehouse.quality.batch_profile import BatchProfile
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Finding, GateOutcome, Severity
from credit_warehouse.quality.parameters import Parameters
from credit_warehouse.settings import get_settings

if TYPE_CHECKING:
    from credit_warehouse.quality.engine import Documented


def gate_intake(connection: psycopg.Connection, source: str, batch_ids: Sequence[int]) -> list[GateOutcome]:
    """Judge loaded batches of ``source`` and record every finding; the caller accepts or refuses.

    All batches share one start of Great Expectations. Runs inside the caller's transaction.

    Raises:
        LookupError: a batch does not exist or is no batch of ``source``.
        ParameterMissing: a number that no contract holds is not entered in ``ops.gate_parameter``.
    """
    profiles = _profiles(connection, source, batch_ids)
    if not profiles:
        return []
    library.load()
    from credit_warehouse.quality import engine

    docs_dir = get_settings().data_docs_dir
    context = engine.open_context(docs_dir)
    gate_run_id = uuid4()
    documented = engine.Documented(context, docs_dir, str(gate_run_id))
    outcomes = [_judge(connection, context, documented, contract, profile) for contract, profile in profiles]
    with connection.transaction():
        for (_, profile), outcome in zip(profiles, outcomes, strict=True):
            results.record(
                connection,
                "intake",
                gate_run_id,
                profile.business_date,
                outcome.findings,
                outcome.docs_path,
                batch_id=outcome.batch_id,
            )
    documented.publish()
    return outcomes


def _profiles(
    connection: psycopg.Connection, source: str, batch_ids: Sequence[int]
) -> list[tuple[FeedContract, BatchProfile]]:
    by_feed: dict[str, list[int]] = defaultdict(list)
    for batch_id, feed in connection.execute(
        "select batch_id, feed from ops.batch where batch_id = any(%s) order by feed", [list(batch_ids)]
    ):
        by_feed[feed].append(batch_id)
    contracts = load_contracts()
    found = [
        (contracts[feed], profile)
        for feed, ids in by_feed.items()
        if feed in contracts and contracts[feed].source == source
        for profile in batch_profile.load(connection, contracts[feed], ids)
    ]
    strange = set(batch_ids) - {profile.batch_id for _, profile in found}
    if strange:
        raise LookupError(f"{source}: no such batches: {sorted(strange)}")
    return found


def _judge(
    connection: psycopg.Connection,
    context: Any,
    documented: Documented,
    contract: FeedContract,
    profile: BatchProfile,
) -> GateOutcome:
    import pandas as pd

    from credit_warehouse.quality import engine
    from expectations.intake import intake_suite

    parameters = Parameters.load(connection, profile.business_date)
    suite = intake_suite(contract, "initial" if profile.is_initial else "nightly", parameters)
    batch_name = f"batch-{profile.batch_id}"
    frame = pd.DataFrame([profile.metrics], dtype="float64")
    result = engine.judge(engine.frame_batch(context, batch_name, frame), suite)
    live = waivers.live(connection, "intake", profile.business_date)
    findings = tuple(waivers.apply(_finding(answer, contract, profile), live) for answer in result.results)
    outcome = GateOutcome(profile.batch_id, contract.feed, findings, documented.path(suite.name, batch_name))
    documented.add(
        result,
        batch_name,
        findings,
        {
            "gate": "intake",
            "title": f"{contract.label} 批次 {profile.batch_id}",
            "subtitle": f"{contract.terms.department.name} · {contract.feed}",
            "business_date": profile.business_date.isoformat(),
            "is_passed": outcome.passed,
            "verdict": "通过：该批次可以入库" if outcome.passed else "未通过：该批次不入库",
        },
    )
    return outcome


def _finding(answer: Any, contract: FeedContract, profile: BatchProfile) -> Finding:
    configuration = answer.expectation_config
    meta = configuration.meta
    error = library.error_of(answer)
    columns = [
        configuration.kwargs[key] for key in ("column", "column_A", "column_B") if key in configuration.kwargs
    ]
    observed = "，".join(_observed(column, contract, profile, Unit[meta["unit"]]) for column in columns)
    where = f"{contract.label}（{contract.feed}）批次 {profile.batch_id}：{meta['description_zh']}"
    seen = f"，无法判定（{error}），请本中心检查该批次的统计指标是否齐全" if error else f"，实际{observed}"
    return Finding(
        expectation_id=meta["id"],
        severity=Severity(meta["severity"]),
        state=library.state_of(answer),
        message=where + seen,
        next_steps=meta["next_steps_zh"],
        expected=meta["expected_zh"],
        observed=observed,
        feed=contract.feed,
    )


def _observed(metric: str, contract: FeedContract, profile: BatchProfile, unit: Unit) -> str:
    return f"{batch_profile.label(metric, contract)} {figure(profile.metrics.get(metric), unit)}"
