"""Check digits of the identity codes the departments write (DOMAIN.md §2), and ways to spoil them."""

from __future__ import annotations

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: 31 characters, no I, O, S, V, Z."""

_USCC_VALUE = {char: value for value, char in enumerate(USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECK = "10X98765432"


def org_code_check(body: str) -> str:
    """Ninth character of an organisation code (GB 11714-1997) for its first eight."""
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORG_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def uscc_check(first17: str) -> str:
    """Eighteenth character of a unified social credit code (GB 32100-2015, MOD 31)."""
    total = sum(_USCC_VALUE[char] * weight for char, weight in zip(first17, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def resident_id_check(first17: str) -> str:
    """Eighteenth character of a resident ID (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _RESIDENT_WEIGHTS, strict=True))
    return _RESIDENT_CHECK[total % 11]


def make_uscc(authority_and_category: str, region: str, body: str) -> str:
    """A code whose two check digits (position 17 by GB 11714, position 18 by MOD 31) are both right."""
    first17 = f"{authority_and_category}{region}{body}{org_code_check(body)}"
    return first17 + uscc_check(first17)


def make_resident_id(region: str, birth: str, sequence: int) -> str:
    """A resident ID in form; ``birth`` is YYYYMMDD, an odd ``sequence`` is a man's."""
    first17 = f"{region}{birth}{sequence:03d}"
    return first17 + resident_id_check(first17)


def make_registration_no(first14: str) -> str:
    """A business registration number (GS 15-2006): 14 digits and their check digit (ISO 7064 MOD 11,10)."""
    product = 10
    for digit in first14:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return f"{first14}{(11 - product) % 10}"


def mask_resident_id(number: str) -> str:
    """Digits 11 to 14 (month and day of birth) hidden, as courts publish it."""
    return f"{number[:10]}****{number[14:]}"


def _another(char: str, alphabet: str) -> str:
    return alphabet[(alphabet.index(char) + 1) % len(alphabet)]


def spoil_uscc_check(code: str) -> str:
    """The code with a wrong character at position 18."""
    return code[:17] + _another(code[17], USCC_ALPHABET)


def spoil_uscc_inner(code: str) -> str:
    """A wrong GB 11714 digit at position 17 under a right MOD 31 at position 18: what MOD 31 alone lets through."""
    first17 = code[:16] + _another(code[16], "0123456789X")
    return first17 + uscc_check(first17)


def spoil_resident_id(number: str) -> str:
    """The number with a wrong character at position 18."""
    return number[:17] + _another(number[17], _RESIDENT_CHECK)


def spoil_org_code(code: str) -> str:
    """The organisation code, with or without its hyphen, with a wrong last character."""
    return code[:-1] + _another(code[-1], "0123456789X")


def spoil_registration_no(number: str) -> str:
    """The registration number with a wrong check digit."""
    return number[:-1] + _another(number[-1], "0123456789")


def spoil_tax_no(number: str) -> str:
    """A taxpayer's number of a length nobody issues."""
    return number[:9]
