"""Codes of every kind as departments write them: valid, and broken in every way a clerk or a system breaks them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from credit_warehouse.identity.codes import (
    DIGITS,
    ORG_ALPHABET,
    USCC_ALPHABET,
    Kind,
    org_check,
    registration_check,
    resident_check,
    uscc_check,
)

Make = Callable[[random.Random], str]


def code(kind: Kind, chance: random.Random) -> str:
    """A code that is valid and in its one spelling."""
    return MAKERS[kind](chance)


def written(kind: Kind, chance: random.Random) -> str:
    """A code as it might be delivered: nearly half of them right, some only spelt differently."""
    text = code(kind, chance)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        text = chance.choice(CHANGES)(text, chance)
    return text


def codes(kind: Kind, count: int, seed: int) -> Iterator[str]:
    """``count`` codes of one kind as delivered; the same ones for the same seed."""
    chance = random.Random(f"{kind} {seed}")
    return (written(kind, chance) for _ in range(count))


def _some(alphabet: str, length: int) -> Make:
    return lambda chance: "".join(chance.choices(alphabet, k=length))


def _born(chance: random.Random) -> date:
    return date(1880, 1, 1) + timedelta(days=chance.randrange(54_000))


def _resident(first: str) -> Make:
    def make(chance: random.Random) -> str:
        body = first or str(chance.randrange(1, 9))
        body += _some(DIGITS, 6 - len(body))(chance) + f"{_born(chance):%Y%m%d}" + _some(DIGITS, 3)(chance)
        return body + resident_check(body)

    return make


def _resident_or_old(chance: random.Random) -> str:
    number = _resident(chance.choice(("", "", "81", "82", "83", "9")))(chance)
    return number[:6] + number[8:17] if chance.random() < 0.25 else number


def _old(chance: random.Random) -> str:
    return _some(DIGITS, 12)(chance) + str(chance.randrange(990, 1000))


def _masked(chance: random.Random) -> str:
    number = _resident("")(chance)
    return f"{number[:10]}****{number[14:]}"


def _foreign(chance: random.Random) -> str:
    return (
        _resident("9")(chance) if chance.random() < 0.5 else _letters(chance, 3) + _some(DIGITS, 12)(chance)
    )


def _letters(chance: random.Random, length: int) -> str:
    return _some(ORG_ALPHABET[10:], length)(chance)


def _passport(chance: random.Random) -> str:
    start = chance.choice(("E", "E" + _letters(chance, 1), "G", "14", "15", "DE", "SE", "PE"))
    return start + _some(DIGITS, (8 if len(start) == 1 else 7))(chance)


def _uscc(chance: random.Random) -> str:
    body = chance.choice("123456789ANY") + _some(USCC_ALPHABET, 1)(chance) + _some(DIGITS, 6)(chance)
    inner = _some(USCC_ALPHABET, 8)(chance)
    body += inner + org_check(inner)
    return body + uscc_check(body)


def _org_code(chance: random.Random) -> str:
    body = _some(ORG_ALPHABET, 8)(chance)
    return body + org_check(body)


def _registration_no(chance: random.Random) -> str:
    body = _some(DIGITS, 14)(chance)
    return body + registration_check(body)


def _tax_no(chance: random.Random) -> str:
    return (
        _uscc(chance)
        if chance.random() < 0.3
        else _some(ORG_ALPHABET, chance.choice((15, 17, 18, 20)))(chance)
    )


MAKERS: dict[Kind, Make] = {
    Kind.RESIDENT_ID: lambda chance: _old(chance) if chance.random() < 0.05 else _resident_or_old(chance),
    Kind.MASKED_RESIDENT_ID: _masked,
    Kind.FOREIGN_RESIDENT_ID: _foreign,
    Kind.PASSPORT: _passport,
    Kind.HK_MACAO_PERMIT: lambda chance: chance.choice("HM") + _some(DIGITS, chance.choice((8, 10)))(chance),
    Kind.TAIWAN_PERMIT: lambda chance: (
        _some(DIGITS, 8)(chance) if chance.random() < 0.5 else _some(DIGITS, 10)(chance) + _letters(chance, 1)
    ),
    Kind.USCC: _uscc,
    Kind.ORG_CODE: _org_code,
    Kind.REGISTRATION_NO: _registration_no,
    Kind.TAX_NO: _tax_no,
}

Change = Callable[[str, random.Random], str]
_STRANGE = "iosvzIOSVZ*?'\"\\%_$^|()[]{}.٣۴９é中ıſß–\u00a0\u3000Ａｘ０"
_BLANKS = " \t\n\u00a0\u3000\ufeff\u200b-－—–"


def _substituted(text: str, chance: random.Random) -> str:
    place = chance.randrange(max(len(text), 1))
    return text[:place] + chance.choice(ORG_ALPHABET) + text[place + 1 :]


def _digit_wrong(text: str, chance: random.Random) -> str:
    place = chance.randrange(max(len(text), 1))
    return text[:place] + chance.choice(DIGITS) + text[place + 1 :]


def _transposed(text: str, chance: random.Random) -> str:
    place = chance.randrange(max(len(text) - 1, 1))
    return text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]


def _wrong_date(text: str, chance: random.Random) -> str:
    """Another day, real or not, under a check digit that is right again."""
    if len(text) != 18 or not text[:17].isascii() or not text[:17].isdigit():
        return text
    day = chance.choice(
        ("19000229", "20000229", "20010229", "19990431", "20990101", "18791231", "18800101", "00010101")
    )
    if chance.random() < 0.5:
        day = f"{chance.randrange(1875, 2035)}{chance.randrange(14):02d}{chance.randrange(33):02d}"
    body = text[:6] + day + text[14:17]
    return body + resident_check(body)


def _strange(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(_STRANGE) + text[place + chance.randrange(2) :]


def _blank(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(_BLANKS) + text[place:]


def _full_width(text: str, chance: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


CHANGES: tuple[Change, ...] = (
    _substituted,
    _digit_wrong,
    _transposed,
    _wrong_date,
    _strange,
    _blank,
    _blank,
    _full_width,
    lambda text, chance: text.lower(),
    lambda text, chance: text[: chance.randrange(len(text) + 1)],
    lambda text, chance: text + chance.choice(ORG_ALPHABET),
    lambda text, chance: chance.choice(("", " ", "-", "０", "无")) if chance.random() < 0.2 else text,
)
