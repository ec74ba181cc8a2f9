"""What a delivery could have filled and did (完整率), and which of its rows contradict themselves (准确率).

Counted over every row that could be read as one, rejected ones included (DOMAIN.md §5.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from credit_warehouse.contracts import FeedContract, Field
from credit_warehouse.intake.rule import Rule
from credit_warehouse.intake.rules import group_condition, required_condition

CROSS_CHECKS = frozenset({"date_order", "code_mismatch", "range"})
"""Rules that hold one value against another or against its category (DOMAIN.md §5.2 准确率)."""

COUNTS = (
    "required_cells",
    "required_filled_cells",
    "optional_cells",
    "optional_filled_cells",
    "checked_rows",
    "contradicted_rows",
)
"""Names in ``ops.batch_profile``. Unit: cells, and rows for the last two."""


def count_cells(
    connection: duckdb.DuckDBPyConnection, contract: FeedContract, rules: Sequence[Rule]
) -> dict[str, int]:
    """The counts of :data:`COUNTS`, from the table ``checked`` in one scan. A one-of group is one required cell; its
    members, and transport columns, are no optional ones."""
    required = [
        (required_condition(contract, field), f"t_{field.name} is not null") for field in contract.fields
    ]
    required += [
        (group_condition(contract, group), " or ".join(f"t_{name} is not null" for name in group.fields))
        for group in contract.terms.one_of
    ]
    optional = [
        (f"not coalesce({required_condition(contract, field)}, false)", f"t_{field.name} is not null")
        for field in contract.fields
        if _may_stay_empty(contract, field)
    ]
    contradicting = [number for number, rule in enumerate(rules, start=1) if rule.code in CROSS_CHECKS]
    row = connection.execute(
        f"select {_cells(required)}, {_cells(optional)}, count(*),"
        f" count(*) filter (where list_has_any(broken, {contradicting}::int[])) from checked"
    ).fetchone()
    assert row is not None
    return {name: int(value) for name, value in zip(COUNTS, row, strict=True)}


def _may_stay_empty(contract: FeedContract, field: Field) -> bool:
    grouped = {name for group in contract.terms.one_of for name in group.fields}
    return not (field.required or field.terms.envelope or field.name in grouped)


def _cells(cells: Sequence[tuple[str, str]]) -> str:
    """Two sums: cells that count, and those of them that are filled."""
    counted = [f"count(*) filter (where {counts})" for counts, _ in cells]
    filled = [f"count(*) filter (where ({counts}) and ({is_filled}))" for counts, is_filled in cells]
    return f"{' + '.join(counted) or '0'}, {' + '.join(filled) or '0'}"
