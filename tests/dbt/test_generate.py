"""The generated part of the dbt project follows from the contracts and from nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import Pii
from credit_warehouse.settings import PROJECT_DIR
from credit_warehouse.transform import generate

PROJECT = PROJECT_DIR / "dbt_project"
CONTRACTS = load_contracts()


def test_committed_project_is_in_step_with_the_contracts() -> None:
    assert generate.check(CONTRACTS, PROJECT) == []


def test_drift_is_named_and_repaired(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "models", project / "models")
    edited = project / "models/staging/tax/stg_tax__tax_arrears.sql"
    edited.write_text(edited.read_text("utf-8") + "-- by hand\n", "utf-8")
    (project / "models/staging/tax/stg_tax__tax_arrears.yml").unlink()
    fewer = {feed: contract for feed, contract in CONTRACTS.items() if feed != "court.judgment_enforcement"}

    problems = "\n".join(generate.check(fewer, project))
    assert "stg_tax__tax_arrears.sql differs" in problems
    assert "stg_tax__tax_arrears.yml is missing" in problems
    assert "stg_court__judgment_enforcement.sql belongs to no contract" in problems
    assert "credit_record.sql" not in problems, "written by hand, not ours to judge"

    generate.write(fewer, project)
    assert generate.check(fewer, project) == []
    assert not (project / "models/staging/court/stg_court__judgment_enforcement.sql").exists()


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_what_identifies_a_person_is_not_staged(contract: FeedContract) -> None:
    files = generate.generate({contract.feed: contract}, PROJECT)
    model = files[PROJECT / f"models/staging/{contract.source}/stg_{contract.relation}.sql"]
    columns = {line.strip().rstrip(",").rsplit(" ", 1)[-1] for line in model.splitlines()}
    for field in contract.fields:
        kept_back = field.terms.pii in {Pii.IDENTIFIER, Pii.SENSITIVE, Pii.THIRD_PARTY}
        assert (field.name in columns) is not kept_back, field.name


def test_a_record_may_not_use_a_field_that_stays_in_raw() -> None:
    contract = CONTRACTS["court.dishonest_judgment_debtor"]
    record = contract.terms.record.model_copy(update={"content": "obligation"})
    terms = contract.terms.model_copy(update={"record": record})
    leaky = contract.model_copy(update={"terms": terms})
    with pytest.raises(ValueError, match="obligation, its class keeps it in raw"):
        generate.generate({leaky.feed: leaky}, PROJECT)
