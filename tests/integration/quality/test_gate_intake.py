"""Gate 1 on real batches: every expectation holds on a good batch, and fails on one that breaks it."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import psycopg
import pytest

from credit_warehouse import quality
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from credit_warehouse.quality import GateOutcome, State, intake_gate
from credit_warehouse.settings import get_settings

from .city import FIRST_NIGHT, SECOND_NIGHT, plant_batch

SOURCE = "court"
FEED = "court.judgment_enforcement"
FILLED = "cause"


def _contract() -> FeedContract:
    """The real contract, small enough to break: few rows expected, one column that has to be filled."""
    contract = load_contracts()[FEED]
    bounds = {"min": 2, "max": 20}
    terms = contract.terms.model_copy(
        update={
            "volume": contract.terms.volume.model_validate({"initial": bounds, "nightly": bounds}),
            "reject_budget": 0.3,
        }
    )
    fields = tuple(
        field.model_copy(update={"terms": field.terms.model_copy(update={"min_fill_rate": 0.9})})
        if field.name == FILLED
        else field
        for field in contract.fields
    )
    return contract.model_copy(update={"fields": fields, "terms": terms})


@pytest.fixture
def contract(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> FeedContract:
    small = _contract()
    monkeypatch.setattr(intake_gate, "load_contracts", lambda: {FEED: small})
    return small


VIOLATIONS = {
    "ledger_balance": "alter table ops.batch drop constraint batch_check;"
    " update ops.batch set quarantined_rows = 0 where batch_id = {batch}",
    "raw_rows": "delete from raw.court__judgment_enforcement where batch_id = {batch} and source_row = 1",
    "quarantine_rows": "delete from quarantine.rejected_row where batch_id = {batch}",
    "declared_rows": "update ops.batch set declared_rows = 99 where batch_id = {batch}",
    "volume_min": "update ops.batch set delivered_rows = 1, accepted_rows = 0 where batch_id = {batch}",
    "volume_max": "update ops.batch set delivered_rows = 21, accepted_rows = 20 where batch_id = {batch}",
    "reject_rate": "update ops.batch set accepted_rows = 2, quarantined_rows = 2 where batch_id = {batch};"
    " delete from raw.court__judgment_enforcement where batch_id = {batch} and source_row = 3;"
    " insert into quarantine.rejected_row select batch_id, 3, feed, null, payload, violations"
    " from quarantine.rejected_row where batch_id = {batch}",
    "missing_required_columns": "{metric} and metric = 'missing_required_columns'",
    "missing_optional_columns": "{metric} and metric = 'missing_optional_columns'",
    "extra_columns": "{metric} and metric = 'extra_columns'",
    f"fill_rate.{FILLED}": "update ops.batch_profile set value = 0.89 where batch_id = {batch} and metric = 'fill_rate'",
    "duplicate_share": "{metric} and metric = 'duplicate_rows'",
    "delivery_gap": "update ops.batch set delivered_for = delivered_for - 100 where batch_id <> {batch}",
}
METRIC = "update ops.batch_profile set value = 1 where batch_id = {batch}"
WARNINGS = {"missing_optional_columns", "extra_columns", "duplicate_share", "delivery_gap"}


def _plant(contract: FeedContract, night: date = SECOND_NIGHT, state: str = "loaded") -> int:
    with connect() as connection:
        return plant_batch(connection, contract, night, state)


def _gate(*batch_ids: int) -> list[GateOutcome]:
    with connect() as connection:
        return quality.gate_intake(connection, SOURCE, batch_ids)


def _break(batch_id: int, name: str) -> None:
    statement = VIOLATIONS[name].format(batch=batch_id, metric=METRIC.format(batch=batch_id))
    with connect() as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture
def nightly_batch(contract: FeedContract) -> int:
    """A good batch of the second night; the first night's is accepted."""
    _plant(contract, FIRST_NIGHT, "accepted")
    return _plant(contract)


def test_good_batches_pass_whole(contract: FeedContract) -> None:
    first = _plant(contract, FIRST_NIGHT)
    (initial,) = _gate(first)
    with connect() as connection:
        connection.execute("update ops.batch set state = 'accepted'")
    (nightly,) = _gate(_plant(contract))
    for outcome in (initial, nightly):
        assert outcome.passed and {finding.state for finding in outcome.findings} == {State.PASSED}
    assert len(nightly.findings) == len(VIOLATIONS)


def test_every_expectation_has_a_violation(nightly_batch: int) -> None:
    (outcome,) = _gate(nightly_batch)
    names = [finding.expectation_id.removeprefix(f"intake.{FEED}.") for finding in outcome.findings]
    assert sorted(names) == sorted(VIOLATIONS)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_violation_is_found(nightly_batch: int, name: str) -> None:
    _break(nightly_batch, name)
    (outcome,) = _gate(nightly_batch)
    found = next(f for f in outcome.findings if f.expectation_id == f"intake.{FEED}.{name}")
    assert found.state is State.FAILED
    assert found.blocks == (name not in WARNINGS)
    assert f"判决执行（{FEED}）批次 {nightly_batch}：" in found.message
    assert found.observed and found.observed in found.message and re.search(r"\d", found.observed)
    assert re.search("部门|本中心|法院", found.next_steps)
    if name in WARNINGS:
        assert outcome.passed and found.message in outcome.message
    else:
        assert not outcome.passed and found.next_steps in outcome.message


def test_a_bad_batch_costs_only_itself(contract: FeedContract) -> None:
    batches = [_plant(contract, FIRST_NIGHT) for _ in range(4)]
    _break(batches[2], "reject_rate")
    outcomes = _gate(*batches)
    assert {o.batch_id: o.passed for o in outcomes} == {b: b != batches[2] for b in batches}
    with connect() as connection:
        recorded = connection.execute(
            "select batch_id, count(*), count(*) filter (where state = 'failed'), count(distinct gate_run_id)"
            " from ops.gate_result where gate = 'intake' group by batch_id order by batch_id"
        ).fetchall()
    assert [(row[0], row[2], row[3]) for row in recorded] == [(b, int(b == batches[2]), 1) for b in batches]
    assert {row[0]: row[1] for row in recorded} == {o.batch_id: len(o.findings) for o in outcomes}


def test_missing_metric_is_an_error_not_a_pass(nightly_batch: int) -> None:
    with connect() as connection:
        connection.execute("delete from ops.batch_profile where metric = 'missing_required_columns'")
    (outcome,) = _gate(nightly_batch)
    assert [(f.expectation_id, f.state) for f in outcome.blocking] == [
        (f"intake.{FEED}.missing_required_columns", State.ERROR)
    ]
    assert "无法判定" in outcome.message


def test_empty_delivery_is_judged_on_volume_only(contract: FeedContract) -> None:
    batch = _plant(contract, FIRST_NIGHT)
    with connect() as connection:
        connection.execute("delete from raw.court__judgment_enforcement")
        connection.execute("delete from quarantine.rejected_row")
        connection.execute("delete from ops.batch_profile where metric = 'fill_rate'")
        connection.execute(
            "update ops.batch set delivered_rows = 0, accepted_rows = 0, quarantined_rows = 0, declared_rows = 0"
        )
    (outcome,) = _gate(batch)
    assert [finding.expectation_id for finding in outcome.blocking] == [f"intake.{FEED}.volume_min"]


@pytest.mark.parametrize(
    ("expires_on", "feed", "passed"),
    [
        pytest.param(SECOND_NIGHT, FEED, True, id="live"),
        pytest.param(SECOND_NIGHT, None, True, id="live, of any feed"),
        pytest.param(SECOND_NIGHT - timedelta(days=1), FEED, False, id="expired the day before"),
        pytest.param(SECOND_NIGHT, "court.dishonest_judgment_debtor", False, id="of another feed"),
    ],
)
def test_waiver(nightly_batch: int, expires_on: date, feed: str | None, passed: bool) -> None:
    _break(nightly_batch, "reject_rate")
    with connect() as connection:
        quality.grant_waiver(
            connection,
            "intake",
            f"intake.{FEED}.reject_rate",
            "历史数据补录",
            "王科长",
            FIRST_NIGHT,
            expires_on,
            feed,
        )
    (outcome,) = _gate(nightly_batch)
    assert outcome.passed == passed
    (found,) = [f for f in outcome.findings if f.state is not State.PASSED]
    assert found.state is (State.WAIVED if passed else State.FAILED)


def test_waiver_needs_reason_and_owner(warehouse: str) -> None:
    with connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
        quality.grant_waiver(connection, "intake", "x", " ", "王科长", FIRST_NIGHT, SECOND_NIGHT)


def test_batches_of_another_source_are_refused(nightly_batch: int) -> None:
    with connect() as connection, pytest.raises(LookupError, match=str(nightly_batch)):
        quality.gate_intake(connection, "tax", [nightly_batch])


def test_no_batches_no_work(warehouse: str) -> None:
    with connect() as connection:
        assert quality.gate_intake(connection, SOURCE, []) == []
    assert not get_settings().data_docs_dir.exists()


def test_pages_and_results_are_kept_for_a_month_of_runs(
    contract: FeedContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credit_warehouse.quality.site.KEPT_RUNS", 2)
    batch = _plant(contract, FIRST_NIGHT)
    paths = [_gate(batch)[0].docs_path for _ in range(3)]
    docs = get_settings().data_docs_dir
    assert [(docs / path).exists() for path in paths] == [False, True, True]
    index = (docs / "index.html").read_text(encoding="utf-8")
    assert [path in index for path in paths] == [False, True, True]
    assert len(list((docs / "results").rglob("*.json"))) == 2
    page = docs / paths[-1]
    (back,) = re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))
    assert (page.parent / back).resolve() == docs / "index.html"


def test_results_file_is_readable_without_the_library(contract: FeedContract) -> None:
    (outcome,) = _gate(_plant(contract, FIRST_NIGHT))
    docs = get_settings().data_docs_dir
    written = docs / outcome.docs_path.replace("validations", "results", 1)
    result = json.loads(written.with_suffix(".json").read_text(encoding="utf-8"))
    assert result["meta"]["page"]["title"].startswith("判决执行 批次")
    assert all(re.search("[一-鿿]", answer["meta"]["finding"]["message"]) for answer in result["results"])
