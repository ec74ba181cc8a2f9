"""What a row rule is, and how SQL text is quoted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One check of one field: ``condition`` is true (SQL) where a row breaks it; the texts are for the clerk."""

    code: str
    field: str
    label: str
    condition: str
    message: str
    suggestion: str


def literal(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
