"""The reference: what an identity code looks like in one spelling, and whether it can be one (DOMAIN.md §2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum

from credit_warehouse.identity.characters import CODE_FROM, CODE_TO, NAME_FROM, NAME_TO, translate

RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
DIGITS = "0123456789"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RESIDENT_CHECK = "10X98765432"
ORG_CHECK = "0123456789X0"
OLDEST_BIRTH = date(1880, 1, 1)
"""Earlier, and it is no birth of a person on record."""


class Kind(StrEnum):
    """Kinds of identifiers. The value is the type a subject key is made with."""

    RESIDENT_ID = "resident_id"
    MASKED_RESIDENT_ID = "masked_resident_id"
    FOREIGN_RESIDENT_ID = "foreign_resident_id"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    USCC = "uscc"
    ORG_CODE = "org_code"
    REGISTRATION_NO = "registration_no"
    TAX_NO = "tax_no"


SHAPES: dict[Kind, str] = {
    # 81, 82, 83: residence permits of Hong Kong, Macao, Taiwan; 9: foreign permanent residents (card of 2023).
    Kind.RESIDENT_ID: "[1-9][0-9]{16}[0-9X]",
    # As courts publish it: month and day of birth hidden. Never a key, only a candidate for review.
    Kind.MASKED_RESIDENT_ID: "[1-9][0-9]{9}[*]{4}[0-9]{3}[0-9X*]",
    # The card of 2017 is no GB 11643 number.
    Kind.FOREIGN_RESIDENT_ID: "[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
    Kind.PASSPORT: "E[0-9A-Z][0-9]{7}|G[0-9]{8}|1[45][0-9]{7}|(?:DE|SE|PE)[0-9]{7}",
    Kind.HK_MACAO_PERMIT: "[HM][0-9]{8}(?:[0-9]{2})?",
    Kind.TAIWAN_PERMIT: "[0-9]{8}|[0-9]{10}[A-Z]",
    # Any region, also those that start with 6; any registering authority in use (DOMAIN.md §2.3).
    Kind.USCC: f"[1-9ANY][{USCC_ALPHABET}][0-9]{{6}}[{USCC_ALPHABET}]{{10}}",
    Kind.ORG_CODE: "[0-9A-Z]{8}[0-9X]",
    Kind.REGISTRATION_NO: "[0-9]{15}",
    # A person's or a household's number may follow other rules than USCC: no check digit is common to all.
    Kind.TAX_NO: "[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{18}|[0-9A-Z]{20}",
}
"""The whole canonical text, as a regular expression that Python, RE2 and PostgreSQL read alike."""

_PATTERNS = {kind: re.compile(shape) for kind, shape in SHAPES.items()}


def canonical(kind: Kind, text: str) -> str | None:
    """The one spelling of a code: half-width capitals without blanks and dashes, a resident ID of 15 digits as its
    18 (DOMAIN.md §2.1). None where nothing is left. Says nothing about validity.
    """
    code = translate(text, CODE_FROM, CODE_TO)
    if kind is Kind.RESIDENT_ID and re.fullmatch("[0-9]{15}", code):
        century = "18" if code[12:] in ("996", "997", "998", "999") else "19"
        body = code[:6] + century + code[6:]
        code = body + resident_check(body)
    return code or None


def is_valid(kind: Kind, code: str | None, until: date | None = None) -> bool:
    """Whether a canonical code can be one: shape, check digits, and a real birth from 1880 to ``until``.

    The region is no rule: it is that of the day the number was given (DOMAIN.md §2.2).
    """
    if code is None or not _PATTERNS[kind].fullmatch(code):
        return False
    check = _CHECKS.get(kind)
    return check is None or check(code, until)


def canonical_name(text: str) -> str | None:
    """The one spelling of a name: half-width capitals, round brackets, without blanks and middle dots."""
    return translate(text, NAME_FROM, NAME_TO) or None


def resident_check(body: str) -> str:
    """Eighteenth character of a resident ID for its first 17 (ISO 7064 MOD 11-2)."""
    return RESIDENT_CHECK[_weighted(body, RESIDENT_WEIGHTS, DIGITS) % 11]


def org_check(body: str) -> str:
    """Ninth character of an organisation code for its first eight (GB 11714-1997)."""
    return ORG_CHECK[11 - _weighted(body, ORG_WEIGHTS, ORG_ALPHABET) % 11]


def uscc_check(body: str) -> str:
    """Eighteenth character of a USCC for its first 17 (GB 32100-2015, MOD 31)."""
    return USCC_ALPHABET[-_weighted(body, USCC_WEIGHTS, USCC_ALPHABET) % 31]


def registration_check(body: str) -> str:
    """Fifteenth digit of a registration number for its first 14 (GS 15-2006, ISO 7064 MOD 11,10)."""
    product = 10
    for digit in body:
        product = ((product + int(digit) - 1) % 10 + 1) * 2 % 11
    return str((11 - product) % 10)


def _weighted(body: str, weights: tuple[int, ...], alphabet: str) -> int:
    return sum(alphabet.index(char) * weight for char, weight in zip(body, weights, strict=True))


def _is_resident_id(code: str, until: date | None) -> bool:
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    return OLDEST_BIRTH <= born <= (until or date.max) and resident_check(code[:17]) == code[17]


def _is_foreign_resident_id(code: str, until: date | None) -> bool:
    return len(code) == 15 or _is_resident_id(code, until)


def _is_uscc(code: str, until: date | None) -> bool:
    return uscc_check(code[:17]) == code[17] and is_valid(Kind.ORG_CODE, code[8:17])


_CHECKS: dict[Kind, Callable[[str, date | None], bool]] = {
    Kind.RESIDENT_ID: _is_resident_id,
    Kind.FOREIGN_RESIDENT_ID: _is_foreign_resident_id,
    Kind.USCC: _is_uscc,
    Kind.ORG_CODE: lambda code, until: org_check(code[:8]) == code[8],
    Kind.REGISTRATION_NO: lambda code, until: registration_check(code[:14]) == code[14],
}
