"""Which rejected rows can be told again by their key: those at fault elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.intake.split import Split
from tests.unit.intake.deliveries import rejected_rows


@pytest.mark.parametrize(
    ("values", "is_whole"),
    [
        ({"status": "?"}, True),
        ({"published_on": "2022-09-31"}, True),
        ({"record_no": ""}, False),
        ({"record_no": "长" * 80}, False),
        ({"record_no": "", "status": "?"}, False),
    ],
)
def test_a_fault_in_the_key_and_elsewhere(
    debtor: FeedContract,
    debtor_row: dict[str, str],
    split_rows: Callable[..., Split],
    values: dict[str, str],
    is_whole: bool,
) -> None:
    (row,) = rejected_rows(split_rows(debtor, debtor_row | values))
    assert row["is_key_whole"] == str(is_whole).lower()


def test_a_repeated_row_keeps_its_key(
    debtor: FeedContract, debtor_row: dict[str, str], split_rows: Callable[..., Split]
) -> None:
    (row,) = rejected_rows(split_rows(debtor, debtor_row, debtor_row))
    assert row["is_key_whole"] == "true"


def test_every_identifier_of_a_party_in_the_key_belongs_to_it() -> None:
    penalty = load_contracts()["market_regulation.administrative_penalty_v2016"]
    assert {"document_no", "org_code", "tax_no", "resident_id"} <= penalty.key_fields
    assert "updated_at" not in penalty.key_fields
