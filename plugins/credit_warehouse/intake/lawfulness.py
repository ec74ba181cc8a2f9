"""Row rules that are the law's and not the department's: whether the office may take the row at all.

They follow from the catalogue (DOMAIN.md §4.2, §4.3), the ban on certain categories (§4.8) and on minors (§4.7), and
are counted by department and item in ``mart.catalogue_refusal``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from credit_warehouse.catalogue import load_catalogue
from credit_warehouse.catalogue.model import Dated
from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.contracts.model import FieldType, Subject
from credit_warehouse.identity.codes import Kind
from credit_warehouse.intake.rule import Rule, literal
from credit_warehouse.intake.valid_codes import holds

NO_DOCUMENT = ("空", "无文号", "暂无")
"""What v2016 senders write where a decision has no number (DOMAIN.md §3.1)."""

_FORBIDDEN = "has_forbidden"


def facts(contract: FeedContract) -> dict[str, str]:
    """Column ``has_forbidden``: the free text about a person contains a word of some forbidden category."""
    words = [value for category in load_catalogue().forbidden for value in category.values]
    if (
        contract.terms.subject.resident_id is None
        or not words
        or not any(map(_is_free_text, contract.fields))
    ):
        return {}
    pattern = literal("|".join(map(re.escape, words)))
    found = f"regexp_matches({_free_text(contract)}, {pattern})"
    return {_FORBIDDEN: f"case when {is_person(contract.terms.subject)} then {found} else false end"}


def rules(contract: FeedContract) -> Iterator[Rule]:
    """The rules of lawfulness of one feed."""
    yield from _catalogue(contract)
    yield from _document(contract)
    yield from _forbidden(contract)
    yield from _adults_only(contract)


def _catalogue(contract: FeedContract) -> Iterator[Rule]:
    item, field = contract.item, contract.field(contract.decided_field)
    decided = f"v_{field.name}::date"
    covered = _any_holds(decided, item.versions)
    if item.withdrawn:
        covered = f"({covered} and getvariable('delivered_for') < {_day(item.withdrawn.on)})"
    yield Rule(
        "not_in_catalogue",
        field.name,
        field.label,
        f"{decided} is not null and not {covered}",
        f"“{field.label}”当日，目录事项 {item.code}“{item.name}”未生效或已退出目录",
        "目录外信息不得归集，请核对日期；确需归集的先申请列入目录",
    )
    founded = [
        f"({_any_holds(decided, [version])} and {_any_holds(decided, version.legal_basis)})"
        for version in item.versions
    ]
    yield Rule(
        "no_legal_basis",
        field.name,
        field.label,
        f"{covered} and not ({' or '.join(founded)})",
        f"“{field.label}”当日，目录事项 {item.code}“{item.name}”没有现行有效的法定依据",
        "没有法定依据的信息不得归集，请核对日期或提供当时的依据",
    )


def _document(contract: FeedContract) -> Iterator[Rule]:
    record = contract.terms.record
    if record is None or record.effect != "adverse" or record.document_no is None:
        return
    field = contract.field(record.document_no)
    spelled = ", ".join(literal(text) for text in NO_DOCUMENT)
    missing = "" if field.required else f"t_{field.name} is null or "
    yield Rule(
        "no_document",
        field.name,
        field.label,
        f"{missing}t_{field.name} in ({spelled})",
        f"失信信息没有“{field.label}”",
        "没有认定文书的失信信息不得归集，请补填文书号",
    )


def _forbidden(contract: FeedContract) -> Iterator[Rule]:
    """Free text about a natural person is searched for what nobody may hold about one."""
    if _FORBIDDEN not in facts(contract):
        return
    everything = _free_text(contract)
    for category in load_catalogue().forbidden:
        if not category.values:
            continue
        found = " or ".join(f"contains({everything}, {literal(value)})" for value in category.values)
        yield Rule(
            "forbidden",
            "",
            category.category,
            f"{_FORBIDDEN} and ({found})",
            f"含有禁止归集的内容（{category.category}）",
            f"请删除该内容后重新报送该行；依据：{category.source}",
        )


def is_person(subject: Subject) -> str:
    """SQL: the row carries a person's number, and not as the representative of an organisation."""
    return " and ".join(
        [f"t_{subject.resident_id} is not null", *(f"t_{name} is null" for name in subject.organisation_if)]
    )


def _free_text(contract: FeedContract) -> str:
    """SQL: all free text of a row as one."""
    return (
        f"concat_ws(' ', {', '.join(f't_{field.name}' for field in contract.fields if _is_free_text(field))})"
    )


def _is_free_text(field: Field) -> bool:
    return field.type is FieldType.STRING and not (
        field.enum or field.pattern or field.terms.check or field.terms.meanings or field.terms.envelope
    )


def _adults_only(contract: FeedContract) -> Iterator[Rule]:
    """Only adults are credit subjects (§4.7): aged 18 on the day of the decision, in a register on that of delivery."""
    subject = contract.terms.subject
    if subject.resident_id is None:
        return
    field = contract.field(subject.resident_id)
    is_register = contract.terms.population_register is not None and contract.terms.record is None
    on_day = "getvariable('delivered_for')" if is_register else f"v_{contract.decided_field}::date"
    condition = (
        f"{is_person(subject)} and {holds(contract, field.name, Kind.RESIDENT_ID)}"
        f" and try_strptime(t_{field.name}[7:14], '%Y%m%d')::date > {on_day} - interval 18 year"
    )
    if subject.resident_id_type:
        # Both have a number of GB 11643.
        condition += f" and t_{subject.resident_id_type} in ('身份证', '外国人永久居留身份证')"
    yield Rule(
        "minor",
        field.name,
        field.label,
        condition,
        f"“{field.label}”表明当事人{'在报送时' if is_register else '在认定时'}未满 18 周岁",
        "未成年人信息不得归集，请勿报送该行",
    )


def _any_holds(day: str, periods: tuple[Dated, ...] | list[Dated] | list) -> str:
    """SQL: ``day`` lies in one of the periods."""
    spans = (
        f"{day} >= {_day(period.valid_from)}"
        + (f" and {day} <= {_day(period.valid_to)}" if period.valid_to else "")
        for period in periods
    )
    return "(" + " or ".join(f"({span})" for span in spans) + ")"


def _day(day: date) -> str:
    return f"date '{day}'"
