"""Row rules, compiled from the contract to SQL conditions over the delivered text.

A rule is stated once, in the contract. Here it becomes one boolean expression per row; all of them run in one scan.
``t_<field>`` is the cleaned text of a field, ``v_<field>`` its typed value; :func:`facts` names the columns rules share. A value that does not have its type breaks
only the type rule; the rules about values are judged on valid values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.contracts.model import FieldType, OneOf, RequiredWhen
from credit_warehouse.identity.codes import Kind
from credit_warehouse.identity.documents import names_of
from credit_warehouse.intake import identity_rules, lawfulness, valid_codes
from credit_warehouse.intake.rule import Rule, literal, quote

NULL_SPELLINGS = ("", "—", "——", "— —", "-", "--", "/", "\\", "无", "null", "NULL", "None", "N/A", "(null)")
"""How departments write "nothing" (DOMAIN.md §3.1, seen in harvested rows)."""

_LONGEST_SPELLING = max(len(spelling.encode()) for spelling in NULL_SPELLINGS)
_BLANKS = tuple(f"chr({code})" for code in (32, 9, 10, 13, 160, 12288, 65279))

DATE_FORMATS = {"年": "%Y年%m月%d日", "/": "%Y/%m/%d", ".": "%Y.%m.%d", "": "%Y%m%d"}
"""Besides ISO dates, each by the sign only it has: whole days only. ``2019年1月`` is no day."""

DUPLICATE_RULE = "duplicate_key"
MALFORMED_RULE = "malformed_row"

_SHOWN_ENUM_VALUES = 8

_TYPE_TEXTS = {
    FieldType.DATE: ("type_date", "不是有效日期", "请填写真实存在的完整日期，如 2026-03-02"),
    FieldType.TIMESTAMP: ("type_timestamp", "不是有效时间", "请按 2026-03-02 17:35:00 填写"),
    FieldType.INTEGER: ("type_number", "不是整数", "请只填写数字，不带单位和千分位"),
    FieldType.NUMBER: ("type_number", "不是有效数字", "请只填写数字，不带单位和千分位，小数不超过六位"),
}


def trimmed_column(field: Field) -> str:
    """``r_<field>``, the delivered text without white space around it (also full-width)."""
    raw = quote(field.header)
    # To trim costs several times what it costs to see that there is nothing to trim.
    edges = " or ".join(f"{at}({raw}, {blank})" for at in ("starts_with", "ends_with") for blank in _BLANKS)
    return f"case when {edges} then trim({raw}, {' || '.join(_BLANKS)}) else {raw} end"


def text_column(field: Field) -> str:
    """``c_<field>``, the cleaned text: null spellings to null."""
    text = f"r_{field.name}"
    spellings = ", ".join(literal(s) for s in NULL_SPELLINGS)
    return f"case when strlen({text}) <= {_LONGEST_SPELLING} and {text} in ({spellings}) then null else {text} end"


def code_column(contract: FeedContract, field: Field) -> str:
    """``c_<field>``, the cleaned text; an identity code in its one spelling, so that one number is one key."""
    text, check = f"c_{field.name}", field.terms.check
    if check is None:
        return text
    type_field = contract.document_type(field.name)
    if type_field is None:
        return f"canonical_{check}({text})"
    residents = ", ".join(map(literal, names_of(Kind.RESIDENT_ID)))
    return f"case when c_{type_field} in ({residents}) then canonical_resident_id({text}) else canonical_code({text}) end"


def value_expression(field: Field) -> str:
    """The typed value of ``t_<field>``, null where the text is not of the type."""
    text = f"t_{field.name}"
    match field.type:
        case FieldType.STRING:
            return text
        case FieldType.DATE:
            # One format a text: trying several costs ten times as much.
            parsed = " ".join(
                f"when contains({text}, {literal(sign)}) then try_strptime({text}, {literal(form)})"
                for sign, form in DATE_FORMATS.items()
            )
            return (
                f"case when regexp_full_match({text}, '[12][0-9]{{3}}-[0-9]{{1,2}}-[0-9]{{1,2}}( 00:00:00)?')"
                f" then try_cast(replace({text}, ' 00:00:00', '') as date)"
                f" when regexp_full_match({text}, '[12][0-9]{{3}}.*') then (case {parsed} end)::date end"
            )
        case FieldType.TIMESTAMP:
            # The city has one zone; where a sender writes an offset, it must be that one.
            local = f"replace(replace(regexp_replace({text}, '[+]08:?00$', ''), '/', '-'), 'T', ' ')"
            return (
                f"case when regexp_full_match({local}, '[12][0-9]{{3}}-[0-9]{{1,2}}-[0-9 :.]+')"
                f" then try_cast({local} as timestamp) end"
            )
        case FieldType.INTEGER:
            return (
                f"case when regexp_full_match({text}, '-?[0-9]{{1,18}}') then try_cast({text} as bigint) end"
            )
        case FieldType.NUMBER:
            factor = " * 10000" if field.terms.delivered_unit == "CNY_10K" else ""
            # Beyond 18 digits DuckDB computes two hundred times slower.
            amount = (
                f"case when strlen({text}) <= 12 then try_cast({text} as decimal(18, 6))::decimal(24, 6)"
                f" else try_cast({text} as decimal(24, 6)) end"
            )
            return (
                f"case when regexp_full_match({text}, '-?[0-9]{{1,14}}([.][0-9]{{1,6}})?')"
                f" then cast(round(({amount}){factor}, 2) as decimal(20, 2)) end"
            )


def compile_rules(contract: FeedContract) -> list[Rule]:
    """Every row rule of a contract but the duplicate rule, which needs the whole delivery."""
    by_field = [rule for field in contract.fields for rule in _field_rules(contract, field)]
    return [
        *by_field,
        *_one_of(contract),
        *identity_rules.mismatch(contract),
        *lawfulness.rules(contract),
    ]


def facts(contract: FeedContract) -> dict[str, str]:
    """What several rules ask of a row, as columns: each is found out once. Column → SQL condition, never null."""
    return {**valid_codes.facts(contract), **lawfulness.facts(contract)}


def required_condition(contract: FeedContract, field: Field) -> str:
    """Whether the field has to be filled in a row, as a SQL condition (null counts as false)."""
    if field.required:
        return "true"
    return " or ".join(f"({_when(contract, when)[0]})" for when in field.terms.required_when) or "false"


def group_condition(contract: FeedContract, group: OneOf) -> str:
    """Whether one field of the group has to be filled in a row, as a SQL condition."""
    return _when(contract, group.when)[0] if group.when else "true"


def _field_rules(contract: FeedContract, field: Field) -> Iterator[Rule]:
    make = partial(_rule, field)
    yield from _presence(contract, field, make)
    yield from _shape(contract, field, make)
    yield from _value_list(field, make)
    yield from _range(field, make)
    yield from identity_rules.checks(contract, field)
    value = f"v_{field.name}"
    if field.terms.not_before:
        other = contract.field(field.terms.not_before)
        yield make(
            "date_order",
            f"{value} < v_{other.name}",
            f"早于“{other.label}”",
            f"请核对“{field.label}”与“{other.label}”",
        )
    if field.terms.not_future:
        yield make(
            "not_future",
            f"{value} > getvariable('delivered_for')",
            "晚于报送日期",
            "请核对日期，不得填写尚未发生的日期",
        )


def _rule(field: Field, code: str, condition: str, message: str, suggestion: str) -> Rule:
    return Rule(code, field.name, field.label, condition, f"“{field.label}”{message}", suggestion)


def _presence(contract: FeedContract, field: Field, make: Callable[..., Rule]) -> Iterator[Rule]:
    text = f"t_{field.name}"
    if field.required:
        yield make("required", f"{text} is null", "为必填项，实际为空", "请补填后重新报送该行")
    for when in field.terms.required_when:
        condition, phrase = _when(contract, when)
        yield make(
            "required_when",
            f"{text} is null and {condition}",
            f"在{phrase}时必填，实际为空",
            "请补填后重新报送该行",
        )


def _shape(contract: FeedContract, field: Field, make: Callable[..., Rule]) -> Iterator[Rule]:
    text, value = f"t_{field.name}", f"v_{field.name}"
    if contract.terms.delivery.format == "jsonl":
        yield make("nested", f"n_{field.name}", "应为单个值，实际为嵌套结构", "请按数据项分别报送")
    if contract.terms.delivery.format == "xlsx":
        yield make("formula", f"{text} like '=%'", "为公式，不是数值", "请粘贴为数值后重新报送该行")
    if field.type in _TYPE_TEXTS:
        code, message, suggestion = _TYPE_TEXTS[field.type]
        yield make(code, f"{text} is not null and {value} is null", message, suggestion)
    if field.pattern:
        condition = f"not regexp_matches({text}, {literal(field.pattern)})"
        asked = field.terms.pattern_means or f"应符合格式 {field.pattern}"
        yield make("pattern", condition, "格式不符合要求", asked)
    if field.max_length:
        condition = f"length({text}) > {field.max_length}"
        yield make("length", condition, f"超过 {field.max_length} 个字符", "请按规定长度填写")


def _value_list(field: Field, make: Callable[..., Rule]) -> Iterator[Rule]:
    if not field.enum:
        return
    allowed = ", ".join(literal(value) for value in field.enum)
    condition = f"t_{field.name} not in ({allowed})"
    if field.terms.multi_value_separator:
        condition = f"len(list_filter({_parts(field)}, lambda part: part not in ({allowed}))) > 0"
    shown = "、".join(field.enum[:_SHOWN_ENUM_VALUES]) + (
        "等" if len(field.enum) > _SHOWN_ENUM_VALUES else ""
    )
    yield make("enum", condition, "不在规定取值范围内", f"允许的取值：{shown}")


def _range(field: Field, make: Callable[..., Rule]) -> Iterator[Rule]:
    factor = 10000 if field.terms.delivered_unit == "CNY_10K" else 1
    value = f"v_{field.name}"
    if field.minimum is not None:
        condition = f"{value} < {field.minimum * factor:f}"
        yield make("range", condition, f"小于允许的最小值 {field.minimum:g}", "请核对数值")
    if field.maximum is not None:
        condition = f"{value} > {field.maximum * factor:f}"
        hint = "该项以万元为单位，疑似按元填写，请换算后重新报送" if factor != 1 else "请核对数值"
        yield make("range", condition, f"大于允许的最大值 {field.maximum:g}", hint)


def _one_of(contract: FeedContract) -> Iterator[Rule]:
    for group in contract.terms.one_of:
        labels = "、".join(contract.field(name).label for name in group.fields)
        empty = " and ".join(f"t_{name} is null" for name in group.fields)
        condition, phrase = _when(contract, group.when) if group.when else ("true", "")
        yield Rule(
            "one_of",
            group.name,
            group.label,
            f"{empty} and {condition}",
            f"{f'在{phrase}时，' if phrase else ''}“{labels}”至少填写一项，实际均为空",
            "请补填其中一项后重新报送",
        )


def _when(contract: FeedContract, when: RequiredWhen) -> tuple[str, str]:
    other = contract.field(when.field)
    if not when.values and not when.unless:
        return f"t_{other.name} is not null", f"“{other.label}”已填写"
    listed = ", ".join(literal(value) for value in when.values or when.unless)
    hit = f"t_{other.name} in ({listed})"
    if other.terms.multi_value_separator:
        hit = f"len(list_filter({_parts(other)}, lambda part: part in ({listed}))) > 0"
    named = "、".join(when.values or when.unless)
    if when.values:
        return hit, f"“{other.label}”为{named}"
    return f"(t_{other.name} is not null and not ({hit}))", f"“{other.label}”不是{named}"


def _parts(field: Field) -> str:
    """The values of a multi-valued field, as a DuckDB list; the full-width separator counts too."""
    separator = field.terms.multi_value_separator or ";"
    wide = {";": "；", ",": "，"}.get(separator, separator)
    narrowed = f"replace(t_{field.name}, {literal(wide)}, {literal(separator)})"
    return f"list_transform(string_split({narrowed}, {literal(separator)}), lambda part: trim(part))"
