"""A slow, plain judge of delivered rows, written from the rules' definitions and from nothing the generator plants.

It reads the delivered text only. Check digits are python-stdnum's where that library is right (DOMAIN.md §2.2–2.3),
and checked by definition otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from stdnum.cn import ric, uscc

from simulator.codes import make_registration_no
from simulator.rows import Row
from simulator.schema import Feed, Field, Kind

NULLS = {"", "— —", "无", "/"}
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日")


def judge(feed: Feed, day: date, rows: Sequence[Row]) -> dict[int, set[tuple[str, str]]]:
    """1-based row number → (rule, field) pairs it breaks; rows that break none are left out."""
    delivered = [dict(zip((f.name for f in feed.fields), row.cells(feed), strict=True)) for row in rows]
    cleaned = [
        {name: None if cell is None or cell in NULLS else cell for name, cell in row.items()}
        for row in delivered
    ]
    broken = {number: _row(feed, day, row) for number, row in enumerate(cleaned, start=1)}
    newest: dict[tuple[str | None, ...], int] = {}
    for number, row in enumerate(cleaned, start=1):
        if not broken[number]:
            key = tuple(row[name] for name in feed.key)
            if feed.unnumbered and row[feed.key[0]] == "空":
                key = tuple(row[name] for name in (*feed.unnumbered, *feed.key[1:]))
            if feed.party_in_key:
                key = (*key, feed.party(row))
            if key in newest:
                broken[newest[key]] = {("duplicate_key", "")}
            newest[key] = number
    return {number: found for number, found in broken.items() if found}


def _row(feed: Feed, day: date, row: dict[str, str | None]) -> set[tuple[str, str]]:
    values = {f.name: _value(f, row[f.name]) for f in feed.fields}
    broken: set[tuple[str, str]] = set()
    for f in feed.fields:
        text, value = row[f.name], values[f.name]
        if text is None:
            if f.required:
                broken.add(("required", f.name))
            if any(when.holds(row) for when in f.required_when):
                broken.add(("required_when", f.name))
        elif value is None:
            broken.add((_type_rule(f), f.name))
        else:
            broken |= {(rule, f.name) for rule in _value_rules(f, text, value, values, day)}
    for group in feed.one_of:
        if all(row[name] is None for name in group.fields) and (not group.when or group.when.holds(row)):
            broken.add(("one_of", ""))
    return broken | _unlawful(feed, day, row, values)


FORBIDDEN = ("低保户", "病史", "血型", "宗教信仰", "残疾证")
UNNUMBERED = ("空", "无文号", "暂无")


def _unlawful(
    feed: Feed, day: date, row: dict[str, str | None], values: dict[str, object]
) -> set[tuple[str, str]]:
    """DOMAIN.md §4.2, §4.7, §4.8."""
    broken = set()
    decided = values[feed.decided_on] if feed.decided_on else None
    if isinstance(decided, date) and decided < feed.collected_from:
        broken.add(("not_in_catalogue", str(feed.decided_on)))
    if feed.document and row[feed.document] in UNNUMBERED:
        broken.add(("no_document", feed.document))
    number = row[feed.person_field] if feed.person_field else None
    if number is None or any(row[name] for name in feed.organisation_if):
        return broken
    if any(word in text for text in row.values() if text for word in FORBIDDEN):
        broken.add(("forbidden", ""))
    counted_on = day if feed.adults_on_delivery else decided
    if isinstance(counted_on, date) and is_resident_id(number) and "*" not in number:
        born = ric.get_birth_date(number)
        if (counted_on.year - born.year, counted_on.month, counted_on.day) < (18, born.month, born.day):
            broken.add(("minor", str(feed.person_field)))
    return broken


def _value(f: Field, text: str | None) -> object:
    """The typed value; None where the text is null or not of the type."""
    if text is None or f.kind is Kind.TEXT:
        return text
    if f.kind is Kind.DATE:
        for spelling in DATES:
            try:
                return datetime.strptime(text, spelling).date()
            except ValueError:
                continue
        return None
    try:
        if f.kind is Kind.TIMESTAMP:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
        return Decimal(text)
    except (ValueError, InvalidOperation):
        return None


def _type_rule(f: Field) -> str:
    return {Kind.DATE: "type_date", Kind.TIMESTAMP: "type_timestamp"}.get(f.kind, "type_number")


def _value_rules(f: Field, text: str, value: object, values: dict[str, object], day: date) -> set[str]:
    broken = set()
    parts = text.split(";") if f.multi else [text]
    if f.enum and not set(parts) <= set(f.enum):
        broken.add("enum")
    if f.pattern and not re.fullmatch(f.pattern.strip("^$"), text):
        broken.add("pattern")
    if f.max_length and len(text) > f.max_length:
        broken.add("length")
    if isinstance(value, Decimal) and (
        (f.minimum is not None and value < f.minimum) or (f.maximum is not None and value > f.maximum)
    ):
        broken.add("range")
    if isinstance(value, date) and not isinstance(value, datetime):
        other = values.get(f.not_before) if f.not_before else None
        if isinstance(other, date) and value < other:
            broken.add("date_order")
        if f.not_future and value > day:
            broken.add("not_future")
    if f.check and not CHECKS[f.check](text):
        broken.add(f"check_{f.check}")
    return broken


def is_org_code(text: str) -> bool:
    """GB 11714: C9 = 11 − Σ(c·w) mod 11, with 10 written X and 11 written 0."""
    text = text.replace("-", "")
    total = sum(
        int(char, 36) * weight for char, weight in zip(text[:8], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    return text[8] == {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def is_uscc(text: str) -> bool:
    """Both check digits (``uscc.validate`` itself rejects A…, N… and Y… codes)."""
    return len(text) == 18 and uscc.calc_check_digit(text[:17]) == text[17] and is_org_code(text[8:17])


def is_resident_id(text: str) -> bool:
    """Form, calendar date of birth, check digit; or masked at digits 11 to 14 as courts publish it."""
    if re.fullmatch(r"\d{10}\*{4}\d{3}[\dX]", text):
        return True
    return bool(re.fullmatch(r"\d{17}[\dX]", text)) and (
        ric.calc_check_digit(text) == text[17] and ric.get_birth_date(text) is not None
    )


def is_registration_no(text: str) -> bool:
    return re.fullmatch(r"\d{15}", text) is not None and make_registration_no(text[:14]) == text


def is_tax_no(text: str) -> bool:
    return re.fullmatch(r"[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{18}|[0-9A-Z]{20}", text) is not None


CHECKS = {
    "uscc": is_uscc,
    "resident_id": is_resident_id,
    "org_code": is_org_code,
    "registration_no": is_registration_no,
    "tax_no": is_tax_no,
}
