"""Where a task or target stands on one day, said again in plain Python from the raw evidence: no breakpoints, no history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

AT_RISK, STALE = timedelta(days=90), timedelta(days=180)

Steps = Sequence[tuple[date, int, int]]
"""Day, members, filed members of one group; each holds until the next."""


@dataclass(frozen=True)
class Item:
    code: str
    is_target: bool
    begins: date
    ends: date
    due: date | None
    goal: Decimal | None = None
    qualitative: bool = False
    groups: tuple[Steps, ...] | None = None
    """What the warehouse measures, group by group; none = evidence only."""


@dataclass(frozen=True)
class Entry:
    number: int
    kind: str
    day: date
    value: Decimal | None = None


@dataclass(frozen=True)
class Standing:
    rule: str
    value: Decimal | None
    numerator: int | None
    denominator: int | None
    last_evidence: date | None


def standing(item: Item, entries: Sequence[Entry], day: date) -> Standing:
    """Where ``item`` stands at the end of ``day``, knowing the standing ``entries``."""
    known = [entry for entry in entries if entry.day <= day]
    last = max((entry.day for entry in known), default=None)
    figures = _figures(item, day)
    reached = _is_reached(item, entries, day)
    words = [e for e in sorted(known, key=lambda e: (e.day, e.number)) if e.kind in ("completed", "measured")]
    value = words[-1].value if words else None
    if figures:
        value = (Decimal(100 * figures[0]) / figures[1]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    rule = _rule(item, entries, day, last, reached, figures is not None)
    return Standing(rule, value, *(figures or (None, None)), last)


def _rule(
    item: Item, entries: Sequence[Entry], day: date, last: date | None, reached: bool, measured: bool
) -> str:
    if reached and item.due is not None:
        in_time = any(
            _is_reached(item, entries, earlier) for earlier in _days_to_look_at(item, entries, item.due, day)
        )
        return "met_on_time" if in_time else "met_late"
    if reached and item.is_target:
        return "met_ongoing"
    if not entries_up_to(entries, day) and not measured:
        if item.qualitative:
            return "qualitative"
        if item.groups is not None:
            return "denominator_unknown"
        if item.due is not None and day > item.due:
            return "never_evidenced"
        if item.due is None and day > item.ends:
            return "never_evidenced_ongoing"
    elif item.due is not None and day > item.due:
        return "overdue"
    if item.due is not None and item.due - day <= AT_RISK:
        return "at_risk_deadline"
    if not measured and day - max(last or item.begins, item.begins) > STALE:
        return "at_risk_stale"
    return "on_track"


def entries_up_to(entries: Sequence[Entry], day: date) -> list[Entry]:
    return [entry for entry in entries if entry.day <= day]


def _days_to_look_at(item: Item, entries: Sequence[Entry], due: date, day: date) -> list[date]:
    """Days up to the deadline on which the item may first have been reached."""
    limit = min(due, day)
    days = [entry.day for entry in entries] + [step[0] for group in item.groups or () for step in group]
    return [limit, *(one for one in days if one <= limit)]


def _is_reached(item: Item, entries: Sequence[Entry], day: date) -> bool:
    figures = _figures(item, day)
    if figures:
        assert item.goal is not None
        return Decimal(100 * figures[0]) / figures[1] >= item.goal
    words = [e for e in entries if e.day <= day and e.kind in ("completed", "measured")]
    if not words:
        return False
    word = max(words, key=lambda e: (e.day, e.number))
    return word.kind == "completed" or (
        word.value is not None and item.goal is not None and word.value >= item.goal
    )


def _figures(item: Item, day: date) -> tuple[int, int] | None:
    """Filed members and members over all groups, or none where nobody is in the register."""
    members = filed = 0
    for group in item.groups or ():
        past = [step for step in group if step[0] <= day]
        if past:
            members, filed = members + past[-1][1], filed + past[-1][2]
    return (filed, members) if members else None


def counts(standings: Mapping[str, Standing]) -> dict[str, int]:
    """How many items stand under each rule."""
    found: dict[str, int] = {}
    for one in standings.values():
        found[one.rule] = found.get(one.rule, 0) + 1
    return found
