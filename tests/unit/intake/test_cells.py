"""Cells that had to be filled and were, row by row, against a count in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from credit_warehouse.contracts import FeedContract
from credit_warehouse.contracts.model import RequiredWhen
from credit_warehouse.intake.split import Split
from tests.unit.intake.deliveries import DEBTOR_ROW

SplitRows = Callable[..., Split]
EMPTY = ("", " ", "—", "无", "/", "　")


def holds(when: RequiredWhen, row: dict[str, str], contract: FeedContract) -> bool:
    """The condition of a conditional field, read off the contract and not off its SQL."""
    said = row[when.field].strip()
    if said in ("", "—", "无", "/"):
        return False
    separator = contract.field(when.field).terms.multi_value_separator
    values = {part.strip() for part in said.split(separator)} if separator else {said}
    if when.values:
        return bool(values & set(when.values))
    return not values & set(when.unless) if when.unless else True


def expected(contract: FeedContract, rows: list[dict[str, str]]) -> dict[str, int]:
    counts = dict.fromkeys(
        ("required_cells", "required_filled_cells", "optional_cells", "optional_filled_cells"), 0
    )
    grouped = {name for group in contract.terms.one_of for name in group.fields}
    for row in rows:
        filled = {name: value not in EMPTY for name, value in row.items()}
        for field in contract.fields:
            must = field.required or any(holds(when, row, contract) for when in field.terms.required_when)
            if must:
                counts["required_cells"] += 1
                counts["required_filled_cells"] += filled[field.name]
            elif not field.terms.envelope and field.name not in grouped:
                counts["optional_cells"] += 1
                counts["optional_filled_cells"] += filled[field.name]
        for group in contract.terms.one_of:
            if group.when is None or holds(group.when, row, contract):
                counts["required_cells"] += 1
                counts["required_filled_cells"] += any(filled[name] for name in group.fields)
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_cells_are_counted_over_every_delivered_row(
    debtor: FeedContract, split_rows: SplitRows, seed: int
) -> None:
    chance = random.Random(seed)
    rows = []
    for number in range(40):
        row = dict(DEBTOR_ROW, record_no=str(number))
        for name in chance.sample(sorted(row), chance.randrange(8)):
            row[name] = chance.choice(EMPTY)
        if chance.random() < 0.3:
            row |= {"party_type": "法人或其他组织", "status": chance.choice(["发布", "屏蔽", "撤销"])}
        if chance.random() < 0.3:
            row |= {"removed_on": "20260101", "removal_reason": chance.choice(["", "履行完毕"])}
        rows.append(row)
    split = split_rows(debtor, *rows)
    assert split.rejected_rows > 0, "rejected rows count too"
    wanted = expected(debtor, rows)
    assert {name: split.cell_counts[name] for name in wanted} == wanted
    assert split.cell_counts["checked_rows"] == len(rows)


def test_a_row_that_contradicts_itself_is_counted_once(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: SplitRows
) -> None:
    late = debtor_row | {"record_no": "2", "published_on": "20240101", "age": "151"}
    empty = debtor_row | {"record_no": "3", "court_name": ""}
    counts = split_rows(debtor, debtor_row, late, empty).cell_counts
    assert (counts["checked_rows"], counts["contradicted_rows"]) == (3, 1)
