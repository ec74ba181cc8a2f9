"""The suite compiled from each real contract."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pandas as pd
import pytest

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import Drift
from credit_warehouse.quality.batch_profile import label
from credit_warehouse.quality.parameters import ParameterMissing, Parameters
from expectations.intake import Load, intake_suite

DAY = date(2026, 3, 2)
PARAMETERS = Parameters(DAY, [("max_duplicate_share", "*", 0.05, "share", "测试")])
CONTRACTS = load_contracts()
LOADS: tuple[Load, ...] = ("initial", "nightly")


def _metas(contract: FeedContract, load: Load = "nightly") -> list[dict[str, Any]]:
    return [expectation.meta or {} for expectation in intake_suite(contract, load, PARAMETERS).expectations]


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("feed", CONTRACTS)
def test_every_contract_yields_a_suite(feed: str, load: Load) -> None:
    suite = intake_suite(CONTRACTS[feed], load, PARAMETERS)
    metas = [expectation.meta or {} for expectation in suite.expectations]
    ids = [meta["id"] for meta in metas]
    assert len(ids) == len(set(ids)) >= 10
    assert all(id_.startswith(f"intake.{feed}.") for id_ in ids)
    assert {meta["severity"] for meta in metas} == {"block", "warn"}
    assert json.dumps(suite.to_json_dict())


@pytest.mark.parametrize("feed", CONTRACTS)
def test_words_are_chinese_sentences_that_say_who_acts(feed: str) -> None:
    for expectation in intake_suite(CONTRACTS[feed], "nightly", PARAMETERS).expectations:
        meta = expectation.meta or {}
        assert re.search("[一-鿿]{4}", meta["description_zh"])
        assert meta["next_steps_zh"].endswith("。")
        assert re.search(f"本中心|{CONTRACTS[feed].terms.department.name}", meta["next_steps_zh"])
        # What the library itself would show is the same words.
        assert (expectation.description, expectation.notes) == (meta["description_zh"], meta["next_steps_zh"])


def test_ids_of_all_feeds_are_unique() -> None:
    ids = [meta["id"] for contract in CONTRACTS.values() for meta in _metas(contract)]
    assert len(ids) == len(set(ids))


def test_bounds_are_the_contracts() -> None:
    contract = CONTRACTS["court.judgment_enforcement"]
    for load in LOADS:
        bounds = getattr(contract.terms.volume, load)
        volume = [
            e for e in intake_suite(contract, load, PARAMETERS).expectations if ".volume_" in e.meta["id"]
        ]
        assert [(e.min_value, e.max_value) for e in volume] == [(bounds.min, None), (None, bounds.max)]
        assert f"{bounds.min:,} 行（合同 volume.{load}）" in volume[0].meta["description_zh"]


@pytest.mark.parametrize(("policy", "severity"), [("refuse", "block"), ("warn", "warn")])
def test_drift_policy_decides_severity(policy: str, severity: str) -> None:
    contract = next(iter(CONTRACTS.values()))
    drift = Drift.model_validate({"extraColumns": policy, "missingOptional": policy})
    drifting = contract.model_copy(update={"terms": contract.terms.model_copy(update={"drift": drift})})
    found = {meta["id"].rsplit(".", 1)[1]: meta["severity"] for meta in _metas(drifting)}
    assert found["extra_columns"] == found["missing_optional_columns"] == severity
    assert found["missing_required_columns"] == "block"


def test_fill_rate_is_expected_where_the_contract_sets_one() -> None:
    contract = next(iter(CONTRACTS.values()))
    filled = contract.fields[0]
    terms = filled.terms.model_copy(update={"min_fill_rate": 0.95})
    fields = (filled.model_copy(update={"terms": terms}), *contract.fields[1:])
    metas = _metas(contract.model_copy(update={"fields": fields}))
    (meta,) = [meta for meta in metas if meta["id"].endswith(f".fill_rate.{filled.name}")]
    assert f"“{filled.label}”（{filled.name}）填充率应不低于 95 %" in meta["description_zh"]


def test_every_column_has_a_chinese_name() -> None:
    for contract in CONTRACTS.values():
        for expectation in intake_suite(contract, "nightly", PARAMETERS).expectations:
            for key in ("column", "column_A", "column_B"):
                if key in expectation.configuration.kwargs:
                    assert re.search("[一-鿿]", label(expectation.configuration.kwargs[key], contract))


def test_missing_parameter_is_named() -> None:
    with pytest.raises(ParameterMissing, match="max_duplicate_share"):
        intake_suite(next(iter(CONTRACTS.values())), "initial", Parameters(DAY, []))


@pytest.mark.parametrize(
    ("metric", "good", "bad"),
    [
        ("reject_rate", 0.3, 0.31),
        ("delivered_rows", 1, 0),
        ("extra_columns", 0, 1),
        ("days_since_previous", 7, 8),
    ],
)
def test_bounds_include_their_ends(metric: str, good: float, bad: float, tmp_path: Any) -> None:
    from credit_warehouse.quality import engine

    contract = CONTRACTS["court.judgment_enforcement"]
    bounds = {"min": 1, "max": 10}
    volume = contract.terms.volume.model_validate({"initial": bounds, "nightly": bounds})
    terms = contract.terms.model_copy(update={"volume": volume, "reject_budget": 0.3, "max_age_days": 7})
    suite = intake_suite(contract.model_copy(update={"terms": terms}), "nightly", PARAMETERS)
    context = engine.open_context(tmp_path)
    for value, expected in ((good, True), (bad, False)):
        batch = engine.frame_batch(
            context, f"{metric}-{value}", pd.DataFrame([{metric: value}], dtype="float64")
        )
        answers = [
            answer
            for answer in engine.judge(batch, suite).results
            if answer.expectation_config.kwargs.get("column") == metric
        ]
        assert all(answer.success for answer in answers) == expected
