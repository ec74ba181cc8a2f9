"""The catalogue on disk, and what a wrong one says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_warehouse.catalogue import Catalogue, CatalogueItem, load_catalogue
from credit_warehouse.catalogue.model import DisplayClass, DisplayRegime
from credit_warehouse.contracts import load_contracts
from credit_warehouse.contracts.admission import admit

CATALOGUE = load_catalogue()
ALL = load_contracts()
PENALTY = "market_regulation.administrative_penalty"


def test_every_item_says_where_its_basis_was_read() -> None:
    for item in CATALOGUE.items:
        for version in item.versions:
            for basis in version.legal_basis:
                assert basis.source.startswith(("DOMAIN.md", "凭记忆")), (item.code, basis.name)


def test_every_feed_has_its_item_and_every_item_a_feed() -> None:
    used = {contract.item.code for contract in ALL.values()}
    assert used == {item.code for item in CATALOGUE.items}


@pytest.mark.parametrize("contract", ALL.values(), ids=lambda contract: contract.feed)
def test_a_list_of_serious_dishonesty_has_its_class(contract: Any) -> None:
    version = contract.item.latest
    assert (version.serious_class is not None) == (version.information_class == "严重失信主体名单信息")


def test_display_rules_leave_no_day_and_no_severity_out() -> None:
    for display_class in CATALOGUE.display_classes:
        ends = [regime.valid_to for regime in display_class.regimes]
        assert ends[-1] is None
        oldest = min(
            version.valid_from
            for item in CATALOGUE.items
            for version in item.versions
            if version.display_class == display_class.code
        )
        assert display_class.regimes[0].valid_from <= oldest, "a decision the catalogue admits has a rule"


def test_order_36_takes_over_on_the_first_of_april() -> None:
    (penalty,) = [entry for entry in CATALOGUE.display_classes if entry.code == "penalty"]
    before, after = penalty.regimes
    assert (before.valid_to, after.valid_from) == (date(2026, 3, 31), date(2026, 4, 1))
    assert after.takes_over == "shorter"
    months = {rule.severity: (rule.shown, rule.min_months, rule.max_months) for rule in after.rules}
    assert months["轻微"] == (False, 0, 3)
    assert months["一般"] == (True, 3, 12)
    assert months["严重"] == (True, 12, 36)


def _item(**changes: Any) -> dict[str, Any]:
    return CATALOGUE.item("XY-03-001").model_dump() | changes


def _version(number: int, valid_from: str, valid_to: str | None = None) -> dict[str, Any]:
    version = CATALOGUE.item("XY-03-001").versions[0].model_dump()
    return version | {"version": number, "valid_from": valid_from, "valid_to": valid_to}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"versions": [_version(1, "2000-01-01"), _version(2, "2010-01-01")]}, "must end before the next"),
        ({"versions": [_version(2, "2000-01-01")]}, "numbered"),
        ({"versions": [_version(1, "2000-01-01", "1999-01-01")]}, "lies before"),
        ({"versions": []}, "at least 1"),
        ({"code": "XY-3-1"}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_an_item_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CatalogueItem.model_validate(_item(**changes))


def test_two_bases_at_a_time_are_refused() -> None:
    version = _version(1, "2000-01-01")
    version["legal_basis"] = [*version["legal_basis"], *version["legal_basis"]]
    with pytest.raises(ValidationError, match="must end before"):
        CatalogueItem.model_validate(_item(versions=[version]))


def test_a_forbidden_item_is_refused_by_name() -> None:
    items = [*CATALOGUE.items, CatalogueItem.model_validate(_item(code="XY-03-999", name="信访记录"))]
    with pytest.raises(ValidationError, match="不得归集"):
        Catalogue(**(dict(CATALOGUE) | {"items": tuple(items)}))


def test_an_unknown_display_class_is_refused() -> None:
    version = _version(1, "2000-01-01") | {"display_class": "for ever"}
    items = [CatalogueItem.model_validate(_item(versions=[version]))]
    with pytest.raises(ValidationError, match="unknown display class"):
        Catalogue(**(dict(CATALOGUE) | {"items": tuple(items)}))


def test_a_regime_speaks_of_every_severity_or_of_none() -> None:
    (penalty,) = [entry for entry in CATALOGUE.display_classes if entry.code == "penalty"]
    with pytest.raises(ValidationError, match="one for each"):
        DisplayRegime.model_validate(
            penalty.regimes[0].model_dump() | {"rules": penalty.regimes[0].rules[:2]}
        )
    gap = penalty.regimes[1].model_copy(update={"valid_from": date(2026, 5, 1)})
    with pytest.raises(ValidationError, match="the day after"):
        DisplayClass.model_validate(penalty.model_dump() | {"regimes": [penalty.regimes[0], gap]})


@pytest.mark.parametrize("label", ["宗教信仰", "血型", "病史", "指纹编号", "信访次数"])
def test_a_field_of_a_forbidden_category_refuses_the_contract(label: str) -> None:
    contract = ALL[PENALTY]
    fields = (*contract.fields, contract.fields[0].model_copy(update={"name": "extra", "label": label}))
    with pytest.raises(ValueError, match="不得归集"):
        admit(contract.model_copy(update={"fields": fields}), CATALOGUE)


def test_only_a_supplier_of_the_item_may_deliver_it() -> None:
    contract = ALL[PENALTY]
    department = contract.terms.department.model_copy(update={"code": "tax"})
    terms = contract.terms.model_copy(update={"department": department})
    with pytest.raises(ValueError, match="not among its suppliers"):
        admit(contract.model_copy(update={"terms": terms}), CATALOGUE)


@given(st.dates(date(1985, 1, 1), date(2035, 1, 1)), st.sampled_from(CATALOGUE.items))
def test_what_is_admitted_has_one_version_and_one_basis(day: date, item: CatalogueItem) -> None:
    holding = [version for version in item.versions if version.holds_on(day)]
    assert len(holding) <= 1
    bases = [basis for version in holding for basis in version.legal_basis if basis.holds_on(day)]
    assert len(bases) <= 1
    assert item.admits(day) == (len(bases) == 1)
    if item.admits(day) and item.versions[0].valid_from == day:
        assert not item.admits(day - timedelta(days=1))
