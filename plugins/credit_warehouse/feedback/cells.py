"""A delivered text as the text of one cell that no spreadsheet takes for anything else."""

from __future__ import annotations

import re

MAX_LENGTH = 32_767
"""Characters a cell of a workbook holds; more than that, Excel moves on to the next line."""

GUARD = "'"
"""Stands before a text a spreadsheet might calculate, and before one that begins with it: one at the front is ours."""

_CALCULATES = frozenset("=+-@|%\t＝＋－＠｜％")
"""Also full-width, which spreadsheets of Chinese systems turn into half-width (DDE begins with one of these, too)."""

_UNSEEN = re.compile(r"^[\s\ufeff\u200b-\u200f\u2060\ufffe]*")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_CUT = "…（共 {length} 字，全文见 JSON 文件）"


def cell(value: object) -> str:
    """The text of the cell: control characters (also those that turn the direction of writing) made visible, what might be
    calculated guarded, what is too long cut."""
    text = guarded("" if value is None else str(value))
    if len(text) > MAX_LENGTH:
        cut = _CUT.format(length=len(text))
        text = text[: MAX_LENGTH - len(cut)] + cut
    return text


def guarded(text: str) -> str:
    """The text of a CSV's cell: as :func:`cell`, whatever its length."""
    text = _CONTROL.sub(_visible, text.replace("\r\n", "\n"))
    return GUARD + text if _is_dangerous(text) else text


def _is_dangerous(text: str) -> bool:
    seen = _UNSEEN.sub("", text)
    return text.startswith((GUARD, "\t", "\n")) or (seen[:1] in _CALCULATES and seen != "")


def _visible(found: re.Match[str]) -> str:
    return f"<U+{ord(found.group()):04X}>"
