"""Every contract on disk, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from credit_warehouse.contracts import ContractError, FeedContract, load_contract, load_contracts
from credit_warehouse.contracts.odcs import odcs_problems
from credit_warehouse.contracts.samples import sample_problems
from credit_warehouse.intake.rules import compile_rules
from credit_warehouse.settings import get_settings

FILES = sorted(get_settings().contracts_dir.glob("*/*.yaml"))
ALL = list(load_contracts().values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_standard_accepts_the_file(path: Path) -> None:
    assert odcs_problems(path) == []


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.feed)
def test_the_sample_passes_its_own_contract(contract: FeedContract) -> None:
    assert sample_problems(contract, get_settings()) == []


def test_every_department_brings_at_least_four_feeds() -> None:
    by_source: dict[str, int] = {}
    for contract in ALL:
        by_source[contract.source] = by_source.get(contract.source, 0) + 1
    assert set(by_source) == {"court", "tax", "social_security", "market_regulation", "data_administration"}
    assert min(by_source.values()) >= 4


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.feed)
def test_adverse_records_name_the_document_that_established_them(contract: FeedContract) -> None:
    record = contract.terms.record
    if record is not None and record.effect == "adverse":
        codes = {rule.code for rule in compile_rules(contract) if rule.field == record.document_no}
        assert codes >= {"no_document"}


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.feed)
def test_every_rule_speaks_chinese_and_says_what_to_do(contract: FeedContract) -> None:
    for rule in compile_rules(contract):
        assert any("一" <= character <= "鿿" for character in rule.message), rule
        assert rule.suggestion, rule


@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.feed)
def test_identifiers_of_persons_are_marked_as_such(contract: FeedContract) -> None:
    for field in contract.fields:
        if field.terms.check is not None and field.terms.check.value == "resident_id":
            assert field.terms.pii.value in {"identifier", "sensitive"}, field.name


def broken(tmp_path: Path, change: Any) -> Path:
    """A copy of a right contract with one change."""
    document = yaml.safe_load(
        (get_settings().contracts_dir / "court" / "dishonest_judgment_debtor.yaml").read_text()
    )
    change(document)
    path = tmp_path / "court" / "dishonest_judgment_debtor.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def set_term(name: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        terms = [entry for entry in document["customProperties"] if entry["property"] != name]
        document["customProperties"] = [*terms, {"property": name, "value": value}]

    return change


def drop_term(name: str) -> Any:
    def change(document: dict[str, Any]) -> None:
        document["customProperties"] = [e for e in document["customProperties"] if e["property"] != name]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_term("catalogueItem"), "catalogueItem"),
        (set_term("catalogueItem", "XY-99-999"), "XY-99-999"),
        (drop_term("department"), "department"),
        (set_term("colour", "red"), "colour"),
        (set_term("sharingTier", "everybody"), "sharingTier"),
        (set_term("updatedField", "no_such_field"), "no_such_field"),
        (set_term("withdrawal", {"field": "gone", "values": ["x"]}), "gone"),
        (set_term("oneOf", [{"name": "a", "label": "b", "fields": ["nobody"]}]), "nobody"),
        (lambda document: document["schema"][0]["properties"][0].pop("primaryKey"), "primaryKey"),
        (lambda document: document.update(id="court.other"), "court.other"),
        (
            lambda document: document["schema"][0]["properties"].append(
                document["schema"][0]["properties"][0]
            ),
            "unique",
        ),
    ],
)
def test_a_wrong_contract_says_what_is_wrong(tmp_path: Path, change: Any, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        load_contract(broken(tmp_path, change))


def test_a_file_that_is_no_yaml_names_itself(tmp_path: Path) -> None:
    path = tmp_path / "court" / "x.yaml"
    path.parent.mkdir()
    path.write_text("a: [")
    with pytest.raises(ContractError, match=r"court/x\.yaml"):
        load_contract(path)
