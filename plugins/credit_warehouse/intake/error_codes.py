"""The number of each row rule and refusal, as departments' clerks know errors (DOMAIN.md §5.3): ``error_codes.csv``.

A number never changes its meaning; a rule that is new gets the next free one of its group: 1 what cannot be read,
2 repeated, 3 wrong value, 5 not lawful to take, 6 whole delivery refused.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from credit_warehouse.contracts import FeedContract
from credit_warehouse.contracts.model import FieldType

FILE = Path(__file__).with_name("error_codes.csv")


@dataclass(frozen=True)
class ErrorCode:
    """One number. ``of`` narrows a rule to fields of one kind: ``name`` (of the subject) or ``date``; empty = any other.

    ``source``: the section the number comes from, or that it is ours.
    """

    error_code: int
    rule: str
    of: str
    label: str
    source: str


@lru_cache(maxsize=1)
def error_codes() -> dict[tuple[str, str], ErrorCode]:
    """(rule, kind of field) → number."""
    with FILE.open(encoding="utf-8", newline="") as file:
        codes = [ErrorCode(**{**row, "error_code": int(row["error_code"])}) for row in csv.DictReader(file)]  # type: ignore[arg-type]
    return {(code.rule, code.of): code for code in codes}


@lru_cache(maxsize=1)
def by_number() -> dict[int, ErrorCode]:
    """The codes by their number."""
    return {code.error_code: code for code in error_codes().values()}


def error_code(contract: FeedContract, rule: str, field: str) -> int:
    """The number for a rule broken by a field of the feed (empty: by the row).

    Raises:
        KeyError: the rule has no number yet; give it one in ``error_codes.csv``.
    """
    codes = error_codes()
    return (codes.get((rule, _kind(contract, field))) or codes[rule, ""]).error_code


def refusal_code(refusal: str) -> int:
    """The number for a delivery refused as a whole, by ``ops.batch.refusal_code``.

    Raises:
        KeyError: the refusal has no number yet; give it one in ``error_codes.csv``.
    """
    return error_codes()[refusal, ""].error_code


def _kind(contract: FeedContract, field: str) -> str:
    if field == contract.terms.subject.name:
        return "name"
    found = next((one for one in contract.fields if one.name == field), None)
    return "date" if found is not None and found.type is FieldType.DATE else ""
