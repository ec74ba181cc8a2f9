"""Whom a row names: the strongest identifier, in one spelling, whatever kind of code or document it is."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable
from typing import Any

import pytest

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.contracts.model import FieldTerms, FieldType, Responsible
from credit_warehouse.identity.codes import Kind, canonical_name, is_valid
from credit_warehouse.intake.split import Split
from tests.unit.identity import generated
from tests.unit.intake.deliveries import accepted_rows, rejected_rows

SplitRows = Callable[..., Split]
CHANCE = random.Random(4)
USCC = generated.code(Kind.USCC, CHANCE)
ORG_CODE = USCC[8:17]
OTHER_ORG_CODE = generated.code(Kind.ORG_CODE, CHANCE)
REGISTRATION_NO = generated.code(Kind.REGISTRATION_NO, CHANCE)
RESIDENT_ID = "44139919850307451X"
FOREIGN_CARD = "911110198503074517"


EXTRA = {
    "org_code": Kind.ORG_CODE,
    "registration_no": Kind.REGISTRATION_NO,
    "tax_no": Kind.TAX_NO,
    "document_kind": None,
    "representative_id": Kind.RESIDENT_ID,
    "representative_document": None,
}


def key(kind: str, value: str) -> str:
    return hmac.new(b"test", f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:32]


def widened(contract: FeedContract, is_register: bool = False, **responsible: Any) -> FeedContract:
    """The debtor feed with every identifier a subject can have."""
    extra = tuple(
        Field(
            name=name,
            header=name,
            label=name,
            description=name,
            type=FieldType.STRING,
            terms=FieldTerms(check=check),
        )
        for name, check in EXTRA.items()
    )
    fields = tuple(
        field.model_copy(update={"terms": field.terms.model_copy(update={"required_when": ()})})
        for field in contract.fields
    )
    subject = contract.terms.subject.model_copy(
        update={
            "org_code": "org_code",
            "registration_no": "registration_no",
            "tax_no": "tax_no",
            "resident_id_type": "document_kind",
        }
    )
    terms = contract.terms.model_copy(
        update={
            "subject": subject,
            "one_of": (),
            "record": contract.terms.record.model_copy(update={"is_subject_register": is_register}),
            "responsible": (Responsible(name="legal_representative", role="法定代表人", **responsible),),
        }
    )
    return FeedContract(**{**dict(contract), "fields": (*fields, *extra), "terms": terms})


@pytest.fixture
def one_row(debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows) -> Callable[..., Split]:
    """Split one row of the widened feed: everything about its subject is empty but what is given."""
    empty = dict.fromkeys(
        ["uscc", "resident_id", *EXTRA],
        "",
    )

    def run(contract: FeedContract | None = None, **values: str) -> Split:
        return split_rows(contract or widened(debtor), {**debtor_row, **empty, **values})

    return run


@pytest.mark.parametrize(
    ("values", "kind", "value"),
    [
        ({"uscc": USCC, "org_code": ORG_CODE, "registration_no": REGISTRATION_NO}, "uscc", USCC),
        ({"uscc": USCC.lower()}, "uscc", USCC),
        ({"tax_no": USCC}, "uscc", USCC),
        ({"org_code": f"{ORG_CODE[:8]}-{ORG_CODE[8]}", "registration_no": REGISTRATION_NO}, "org_code", ORG_CODE),
        ({"registration_no": " ".join(REGISTRATION_NO)}, "registration_no", REGISTRATION_NO),
        ({"document_kind": "身份证", "resident_id": RESIDENT_ID.lower()}, "resident_id", RESIDENT_ID),
        ({"document_kind": "身份证", "resident_id": "110105491231002"}, "resident_id", "11010519491231002X"),
        ({"document_kind": "护照", "resident_id": "Ｅ12345678"}, "passport", "E12345678"),
        ({"document_kind": "护照号", "resident_id": "e12345678"}, "passport", "E12345678"),
        ({"document_kind": "港澳居民来往内地通行证", "resident_id": "h12345678"}, "hk_macao_permit", "H12345678"),
        ({"document_kind": "台湾居民来往大陆通行证", "resident_id": "12345678"}, "taiwan_permit", "12345678"),
        ({"document_kind": "外国人永久居留身份证", "resident_id": "usa110185030745"}, "foreign_resident_id", "USA110185030745"),
        ({"org_code": ORG_CODE, "document_kind": "身份证", "resident_id": RESIDENT_ID}, "org_code", ORG_CODE),
    ],
)  # fmt: skip
def test_the_strongest_identifier_is_the_key(
    debtor: FeedContract, one_row: Callable[..., Split], values: dict[str, str], kind: str, value: str
) -> None:
    result = one_row(**values)
    assert result.rule_counts == {}
    (row,) = accepted_rows(widened(debtor), result)
    assert (row["id_type"], row["subject_key"]) == (kind, key(kind, value))
    assert row["subject_type"] == (
        "organisation" if kind in ("uscc", "org_code", "registration_no") else "person"
    )
    assert value in row.values(), "raw holds the one spelling"


def test_a_foreigners_new_card_is_a_number_of_the_residents_standard(
    debtor: FeedContract, one_row: Callable[..., Split]
) -> None:
    """One number is one key, whether the sender says which card it is or not."""
    card = next(
        FOREIGN_CARD[:17] + check
        for check in "0123456789X"
        if is_valid(Kind.FOREIGN_RESIDENT_ID, FOREIGN_CARD[:17] + check)
    )
    keys = set()
    for kind in ("身份证", "外国人永久居留身份证"):
        (row,) = accepted_rows(widened(debtor), one_row(document_kind=kind, resident_id=card))
        keys.add((row["id_type"], row["subject_key"]))
    assert keys == {("resident_id", key("resident_id", card))}


@pytest.mark.parametrize(
    "values",
    [
        {"document_kind": "护照", "resident_id": "X1234567"},
        {"document_kind": "军官证", "resident_id": RESIDENT_ID},
        {"document_kind": "", "resident_id": RESIDENT_ID},
        {"tax_no": "441302198503074"},
        {"tax_no": "44130219850307451X01"},
        {},
    ],
)
def test_what_no_rule_vouches_for_names_nobody(
    debtor: FeedContract, one_row: Callable[..., Split], values: dict[str, str]
) -> None:
    (row,) = accepted_rows(widened(debtor), one_row(**values))
    assert (row["subject_key"], row["subject_type"], row["id_type"], row["alias_keys"]) == ("", "", "", "")


@pytest.mark.parametrize(
    ("values", "rule", "field"),
    [
        ({"uscc": USCC, "org_code": OTHER_ORG_CODE}, "code_mismatch", "org_code"),
        ({"org_code": ORG_CODE[:8] + ("1" if ORG_CODE[8] != "1" else "2")}, "check_org_code", "org_code"),
        ({"registration_no": "110108000000017"}, "check_registration_no", "registration_no"),
        ({"tax_no": "1234"}, "check_tax_no", "tax_no"),
        ({"document_kind": "港澳居民来往内地通行证", "resident_id": "A12345678"}, "check_hk_macao_permit", "resident_id"),
        ({"document_kind": "台湾居民来往大陆通行证", "resident_id": "1234"}, "check_taiwan_permit", "resident_id"),
        ({"document_kind": "外国人永久居留身份证", "resident_id": "911110198503074511"}, "check_foreign_resident_id", "resident_id"),
        ({"document_kind": "身份证", "resident_id": "441399198503074519"}, "check_resident_id", "resident_id"),
        ({"document_kind": "身份证", "resident_id": "110105490231002"}, "check_resident_id", "resident_id"),
    ],
)  # fmt: skip
def test_a_broken_code_is_returned_in_words(
    one_row: Callable[..., Split], values: dict[str, str], rule: str, field: str
) -> None:
    (row,) = rejected_rows(one_row(**values))
    assert [(violation["rule"], violation["field"]) for violation in row["violations"]] == [(rule, field)]
    assert row["violations"][0]["message"].startswith("第1行 “")
    assert row["violations"][0]["value"] == values[field], "as delivered, not as we spell it"


def test_a_minor_with_a_foreigners_card_is_refused(one_row: Callable[..., Split]) -> None:
    number = "91111020150307451"
    card = next(number + check for check in "0123456789X" if is_valid(Kind.RESIDENT_ID, number + check))
    result = one_row(document_kind="外国人永久居留身份证", resident_id=card)
    assert result.rule_counts == {("minor", "resident_id"): 1}


def test_aliases_are_what_the_code_itself_and_the_register_say(
    debtor: FeedContract, one_row: Callable[..., Split]
) -> None:
    values = {"uscc": USCC, "registration_no": REGISTRATION_NO}
    by_code = key("org_code", ORG_CODE)
    (elsewhere,) = accepted_rows(widened(debtor), one_row(**values))
    assert elsewhere["alias_keys"] == f"{{{by_code}}}"
    register = widened(debtor, is_register=True)
    (registered,) = accepted_rows(register, one_row(register, **values))
    assert registered["alias_keys"] == f"{{{by_code},{key('registration_no', REGISTRATION_NO)}}}"
    (legacy,) = accepted_rows(register, one_row(register, org_code=ORG_CODE, registration_no=REGISTRATION_NO))
    assert legacy["alias_keys"] == ""


def test_one_name_has_one_key(debtor: FeedContract, one_row: Callable[..., Split]) -> None:
    keys = {
        accepted_rows(widened(debtor), one_row(uscc=USCC, party_name=name))[0]["name_key"]
        for name in ("惠州市甲（集团）有限公司", "惠州市甲(集团) 有限公司", "惠州市甲【集团】有限公司")
    }
    assert keys == {key("name", canonical_name("惠州市甲（集团）有限公司") or "")}


@pytest.mark.parametrize(
    ("number", "document", "expected"),
    [
        (RESIDENT_ID, "身份证", key("resident_id", RESIDENT_ID)),
        ("E12345678", "护照", key("passport", "E12345678")),
        ("X1234567", "护照", "NULL"),
        ("", "", "NULL"),
    ],
)
def test_a_responsible_person_is_keyed_by_an_identifier_only(
    debtor: FeedContract, one_row: Callable[..., Split], number: str, document: str, expected: str
) -> None:
    contract = widened(debtor, resident_id="representative_id", resident_id_type="representative_document")
    (row,) = accepted_rows(
        contract, one_row(contract, uscc=USCC, representative_id=number, representative_document=document)
    )
    assert row["responsible_keys"] == f"{{{expected}}}"
    (by_name,) = accepted_rows(widened(debtor), one_row(uscc=USCC, legal_representative="张三"))
    assert by_name["responsible_keys"] == ""


def test_a_contract_names_identifiers_by_checked_fields(debtor: FeedContract) -> None:
    subject = debtor.terms.subject.model_copy(update={"org_code": "case_no"})
    with pytest.raises(ValueError, match="case_no identifies the subject and needs the check org_code"):
        FeedContract(**{**dict(debtor), "terms": debtor.terms.model_copy(update={"subject": subject})})
