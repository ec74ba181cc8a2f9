"""Deliveries of one small feed, built in the test, split without a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.intake.split import Split, split_delivery
from credit_warehouse.settings import Settings
from tests.unit.intake.deliveries import DEBTOR_ROW, court_zip, csv_bytes

DELIVERED_FOR = date(2026, 3, 2)


@pytest.fixture(scope="session")
def contracts() -> dict[str, FeedContract]:
    return load_contracts()


@pytest.fixture
def debtor(contracts: dict[str, FeedContract]) -> FeedContract:
    return contracts["court.dishonest_judgment_debtor"]


@pytest.fixture
def debtor_row() -> dict[str, str]:
    return dict(DEBTOR_ROW)


@pytest.fixture
def split(tmp_path: Path) -> Callable[..., Split]:
    """Split a landed file the way a night does."""
    settings = Settings(pepper=SecretStr("test"), home=tmp_path)

    def run(contract: FeedContract, path: Path, **overrides: Any) -> Split:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        for left in scratch.glob("intake.duckdb*"):
            left.unlink()
        return split_delivery(
            contract, path, 7, DELIVERED_FOR, scratch, settings.model_copy(update=overrides)
        )

    return run


@pytest.fixture
def split_rows(split: Callable[..., Split], tmp_path: Path) -> Callable[..., Split]:
    """Split rows given by field name, packed as a court drop."""

    def run(contract: FeedContract, *rows: dict[str, str]) -> Split:
        return split(
            contract, court_zip(tmp_path / "drop.zip", contract, csv_bytes(contract, rows), len(rows))
        )

    return run
