"""Whom a row names: SQL over the cleaned texts ``t_<field>`` (ARCHITECTURE decision 6).

The strongest valid identifier counts. A masked number, a foreign passport, a kind of document without a rule name
nobody: such a row waits for a person to decide.
"""

from __future__ import annotations

from credit_warehouse.contracts import FeedContract
from credit_warehouse.contracts.model import Responsible, Subject
from credit_warehouse.identity.codes import Kind
from credit_warehouse.identity.documents import DOCUMENT_KINDS, names_of
from credit_warehouse.intake.lawfulness import is_person
from credit_warehouse.intake.rule import literal
from credit_warehouse.intake.valid_codes import holds, is_kind


def identifier(contract: FeedContract) -> str:
    """The subject's identifier as a struct (type, value), null where the row names nobody."""
    subject = contract.terms.subject
    branches = [
        # A field with a check holds a valid code or the row is rejected.
        *(
            (f"t_{field} is not null", literal(kind), f"t_{field}")
            for field, kind in _codes(subject, Kind.USCC)
        ),
        # Since 2015 the taxpayer's number of an organisation is its USCC (DOMAIN.md §2.4); others are nobody's key.
        *((holds(contract, field, Kind.USCC), "'uscc'", f"t_{field}") for field in [subject.tax_no] if field),
        *(
            (f"t_{field} is not null", literal(kind), f"t_{field}")
            for field, kind in _codes(subject, *_LEGACY)
        ),
        *(
            (f"{is_person(subject)} and {condition}", type_, value)
            for condition, type_, value in _documents(contract, subject)
        ),
    ]
    return _first(branches)


def subject_type(identifier: str) -> str:
    """``organisation`` or ``person``, null without an identifier."""
    return (
        f"case when {identifier}.type in ('uscc', 'org_code', 'registration_no') then 'organisation'"
        f" when {identifier}.type is not null then 'person' end"
    )


def alias_keys(contract: FeedContract, identifier: str) -> str:
    """Keys of further identifiers that are this subject, as PostgreSQL writes an array: the organisation code inside a
    USCC (DOMAIN.md §2.4), and the registration number the register itself gives."""
    terms = contract.terms
    keys = [f"subject_key('org_code', {identifier}.value[9:17])"]
    if contract.is_register and terms.subject.registration_no:
        keys.append(f"subject_key('registration_no', t_{terms.subject.registration_no})")
    return f"case when {identifier}.type = 'uscc' then '{{' || concat_ws(',', {', '.join(keys)}) || '}}' end"


def responsible_keys(contract: FeedContract) -> str:
    """Keys of the responsible persons in the contract's order, null where only a name is carried."""
    keyed = [_first(_documents(contract, person)) for person in contract.terms.responsible]
    if not any(person.resident_id for person in contract.terms.responsible):
        return "null"
    keys = (f"coalesce(subject_key(({one}).type, ({one}).value), 'NULL')" for one in keyed)
    return f"'{{' || concat_ws(',', {', '.join(keys)}) || '}}'"


_LEGACY = (Kind.ORG_CODE, Kind.REGISTRATION_NO)
_Branch = tuple[str, str, str]


def _codes(subject: Subject, *kinds: Kind) -> list[tuple[str, Kind]]:
    fields = {
        Kind.USCC: subject.uscc,
        Kind.ORG_CODE: subject.org_code,
        Kind.REGISTRATION_NO: subject.registration_no,
    }
    return [(field, kind) for kind in kinds if (field := fields[kind])]


def _documents(contract: FeedContract, person: Subject | Responsible) -> list[_Branch]:
    if person.resident_id is None:
        return []
    text = f"t_{person.resident_id}"
    if person.resident_id_type is None:
        kind = contract.field(person.resident_id).terms.check or Kind.RESIDENT_ID
        return [(holds(contract, person.resident_id, kind), _key_type(kind, text), text)]
    return [
        (
            f"{is_document(person.resident_id_type, kind)} and {is_kind(kind, text)}",
            _key_type(kind, text),
            text,
        )
        for kind in dict.fromkeys(DOCUMENT_KINDS.values())
    ]


def is_document(type_field: str, kind: Kind) -> str:
    """Condition: the row says that the document is of this kind."""
    return f"t_{type_field} in ({', '.join(map(literal, names_of(kind)))})"


def _key_type(kind: Kind, text: str) -> str:
    """The card of 2023 has a number of GB 11643 like a resident's: one number is one key, wherever it stands."""
    if kind is Kind.FOREIGN_RESIDENT_ID:
        return f"case when length({text}) = 18 then 'resident_id' else 'foreign_resident_id' end"
    return literal(kind)


def _first(branches: list[_Branch]) -> str:
    cases = " ".join(
        f"when {condition} then {{'type': {type_}, 'value': {value}}}" for condition, type_, value in branches
    )
    return f"case {cases} end" if cases else "null::struct(type varchar, value varchar)"
