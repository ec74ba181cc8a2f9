"""Row rules about identity codes (DOMAIN.md §2): each is judged on the canonical text ``t_<field>``."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.identity.codes import Kind
from credit_warehouse.identity.documents import DOCUMENT_KINDS, UNCHECKED
from credit_warehouse.intake.keys import is_document
from credit_warehouse.intake.rule import Rule
from credit_warehouse.intake.valid_codes import holds, is_kind

_TEXTS: dict[Kind, tuple[str, str]] = {
    Kind.USCC: ("不是有效的统一社会信用代码（校验位不符）", "请按营业执照核对 18 位代码"),
    Kind.ORG_CODE: ("不是有效的组织机构代码（校验位不符）", "请按组织机构代码证核对 9 位代码"),
    Kind.REGISTRATION_NO: ("不是有效的工商注册号（校验位不符）", "请按营业执照核对 15 位注册号"),
    Kind.TAX_NO: ("不是有效的纳税人识别号", "请按税务登记核对，应为 15、17、18 或 20 位数字和字母"),
    Kind.RESIDENT_ID: ("不是有效的公民身份号码（校验位或出生日期不符）", "请按身份证核对 18 位号码"),
    Kind.MASKED_RESIDENT_ID: ("不是遮蔽第 11 至 14 位的公民身份号码", "请按 4413991985****451X 的形式填写"),
    Kind.FOREIGN_RESIDENT_ID: (
        "不是有效的外国人永久居留身份证号码（校验位或出生日期不符）",
        "请按证件核对号码，应为 18 位，旧证为 3 位字母加 12 位数字",
    ),
    Kind.PASSPORT: ("不是有效的中国护照号码", "请按护照核对号码，如 E12345678"),
    Kind.HK_MACAO_PERMIT: (
        "不是有效的港澳居民来往内地通行证号码",
        "请按证件核对号码，应为 H 或 M 加 8 位数字",
    ),
    Kind.TAIWAN_PERMIT: ("不是有效的台湾居民来往大陆通行证号码", "请按证件核对号码，应为 8 位数字"),
}


def checks(contract: FeedContract, field: Field) -> Iterator[Rule]:
    """The rule of the field's kind; of a document number, one rule for each kind of document that has one."""
    kind, text = field.terms.check, f"t_{field.name}"
    if kind is None:
        return
    type_field = contract.document_type(field.name)
    if type_field is None:
        masked = f" and not is_masked_resident_id({text})" if field.terms.allow_masked else ""
        yield _rule(field, kind, f"{text} is not null and not {holds(contract, field.name, kind)}{masked}")
        return
    for document in dict.fromkeys(DOCUMENT_KINDS.values()):
        if document not in UNCHECKED:
            said = is_document(type_field, document)
            yield _rule(field, document, f"{text} is not null and {said} and not {is_kind(document, text)}")


def mismatch(contract: FeedContract) -> Iterator[Rule]:
    """A row's organisation code is the one inside its USCC (DOMAIN.md §2.4)."""
    subject = contract.terms.subject
    if not (subject.uscc and subject.org_code):
        return
    uscc, code = f"t_{subject.uscc}", f"t_{subject.org_code}"
    field = contract.field(subject.org_code)
    yield Rule(
        "code_mismatch",
        field.name,
        field.label,
        f"{holds(contract, subject.uscc, Kind.USCC)} and {holds(contract, subject.org_code, Kind.ORG_CODE)}"
        f" and {code} <> {uscc}[9:17]",
        f"“{field.label}”与“{contract.field(subject.uscc).label}”的第 9 至 17 位不一致",
        "请核对两个代码，它们应属于同一主体",
    )


def _rule(field: Field, kind: Kind, condition: str) -> Rule:
    message, suggestion = _TEXTS[kind]
    return Rule(f"check_{kind}", field.name, field.label, condition, f"“{field.label}”{message}", suggestion)
