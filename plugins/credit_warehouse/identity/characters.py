"""One spelling for what a keyboard writes in several ways: tables of characters, shared by every language.

Only ASCII letters change case: beyond them Python, DuckDB and PostgreSQL disagree about capitals.
"""

from __future__ import annotations

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_FULL_WIDTH = "".join(chr(0xFEE0 + ord(char)) for char in map(chr, range(0x21, 0x7F)))
_HALF_WIDTH = "".join(map(chr, range(0x21, 0x7F)))

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200E)))
    + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
DASHES = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
MIDDLE_DOTS = ".·•‧∙⋅・･．᛫"
BRACKETS = {"(": "（〔【［[{｛﹙", ")": "）〕】］]}｝﹚"}


def _table(dropped: str, also: dict[str, str]) -> tuple[str, str]:
    replaced = {char: target for target, chars in also.items() for char in chars}
    for written, meant in zip(_FULL_WIDTH + _LOWER, (_HALF_WIDTH + _LOWER).upper(), strict=True):
        replaced.setdefault(written, meant)
    kept = {written: meant for written, meant in replaced.items() if written not in dropped}
    return "".join(kept) + dropped, "".join(kept.values())


CODE_FROM, CODE_TO = _table(BLANKS + DASHES, {})
"""Arguments of ``translate`` for a code: half-width capitals, blanks and dashes dropped."""

NAME_FROM, NAME_TO = _table(BLANKS + MIDDLE_DOTS, BRACKETS)
"""The same for a name: half-width capitals, one kind of bracket, blanks and middle dots dropped."""


def translate(text: str, written: str, meant: str) -> str:
    """PostgreSQL's and DuckDB's ``translate``: characters without a counterpart are dropped."""
    return text.translate(str.maketrans(written[: len(meant)], meant, written[len(meant) :]))
