"""The departments' own idea of their feeds and the office's contracts say the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credit_warehouse.contracts import FeedContract, load_contracts
from simulator.city import FIRST_NIGHT
from simulator.deliveries import ENCODINGS, FOLDERS, file_name
from simulator.feeds import FEEDS
from simulator.schema import Feed, Kind, Medium

CONTRACTS = load_contracts()
KINDS = {
    Kind.TEXT: "string",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp",
    Kind.INTEGER: "integer",
    Kind.AMOUNT: "number",
}
TRANSPORT = {"change_seq"}


@pytest.fixture(params=FEEDS)
def pair(request: pytest.FixtureRequest) -> tuple[Feed, FeedContract]:
    return FEEDS[request.param], CONTRACTS[request.param]


def test_same_feeds() -> None:
    assert set(FEEDS) == set(CONTRACTS)


def test_same_columns(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    ours = [(f.name, f.header, KINDS[f.kind], f.required) for f in feed.fields]
    theirs = [
        (f.name, f.header, f.type.value, f.required) for f in contract.fields if f.name not in TRANSPORT
    ]
    assert ours == theirs


def test_same_key_and_withdrawal(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    subject, withdrawal = contract.terms.subject, contract.terms.withdrawal
    assert (feed.key, feed.party_in_key) == (contract.natural_key, subject.in_natural_key)
    assert (feed.uscc_field, feed.person_field) == (subject.uscc, subject.resident_id)
    assert feed.withdrawal == ((withdrawal.field, *withdrawal.values) if withdrawal else None)
    groups = [(group.fields, group.when.field if group.when else None) for group in feed.one_of]
    assert groups == [(g.fields, g.when.field if g.when else None) for g in contract.terms.one_of]


def test_same_reach_in_law(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    terms, record, item = contract.terms, contract.terms.record, contract.item
    assert feed.decided_on in (None, contract.decided_field)
    # No item has a second version, an end or a day without a legal basis yet: nothing of that can be planted.
    (version,) = item.versions
    assert (feed.collected_from, item.withdrawn, version.valid_to) == (version.valid_from, None, None)
    assert all(
        version.basis_on(basis.valid_to + timedelta(days=1))
        for basis in version.legal_basis
        if basis.valid_to
    )
    assert feed.document == (record.document_no if record and record.effect == "adverse" else None)
    assert feed.is_register == (terms.population_register is not None)
    assert feed.organisation_if == terms.subject.organisation_if


def test_same_records(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    assert (feed.record_as, feed.unnumbered) == (contract.terms.record_as, contract.terms.unnumbered_key)
    assert feed.target == (contract.terms.change.target if contract.terms.change else None)
    codes = (feed.uscc_field, *feed.other_codes, feed.person_field)
    assert tuple(name for name in codes if name) == contract.terms.subject.identifiers


def test_same_words_for_changes(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    if contract.terms.change is None:
        return
    kinds = contract.field(contract.terms.change.kind).terms.meanings
    assert set(kinds.values()) <= {
        "repair", "revocation", "objection_filed", "objection_upheld", "objection_dismissed", "reinstatement",
        "severity_finding",
    }  # fmt: skip
    target = FEEDS[contract.terms.change.target]
    assert {target.uscc_field, target.person_field} == {feed.uscc_field, feed.person_field}
    assert set(target.key) <= {f.name for f in feed.fields}


def test_same_value_rules(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    for f in feed.fields:
        theirs = contract.field(f.name)
        terms = theirs.terms
        assert f.enum == theirs.enum, f.name
        assert f.multi == (terms.multi_value_separator is not None), f.name
        assert (f.pattern, f.minimum, f.check) == (theirs.pattern, theirs.minimum, terms.check), f.name
        assert f.ten_thousands == (terms.delivered_unit == "CNY_10K"), f.name
        assert f.not_before == terms.not_before, f.name
        conditions = [(when.field, when.values, when.unless) for when in terms.required_when]
        assert [(when.field, when.values, when.unless) for when in f.required_when] == conditions, f.name
        # The department need not know every limit the office sets, but none it does not set.
        assert not f.not_future or terms.not_future, f.name
        assert f.maximum in (None, theirs.maximum), f.name
        assert f.max_length in (None, theirs.max_length), f.name


def test_delivered_where_the_contract_looks(pair: tuple[Feed, FeedContract]) -> None:
    feed, contract = pair
    delivery = contract.terms.delivery
    if feed.medium is Medium.API:
        assert delivery.path == f"/v1/{feed.name}"
    elif feed.medium is Medium.TABLE:
        assert delivery.path == f"exchange.{feed.name}"
    else:
        day = FIRST_NIGHT
        assert delivery.path.format(yyyymmdd=f"{day:%Y%m%d}") == (
            f"/{FOLDERS[feed.source]}/{day:%Y%m%d}/{file_name(feed, day)}"
        )
        assert feed.medium is Medium.WORKBOOK or delivery.encoding == ENCODINGS[feed.medium]
