"""When our own machine gives way, no department is blamed: the batch is not refused, and the message says what to do."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake import workbook
from credit_warehouse.intake.split import Split
from credit_warehouse.troubles import DATABASE_LOST, DISK_FULL, OUT_OF_MEMORY, Trouble, trouble_in, trouble_of
from tests.unit.intake.deliveries import DEBTOR_ROW, court_zip, csv_bytes, workbook_drop, workbook_rows

WORKBOOK_FEED = "market_regulation.administrative_penalty"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond this, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_while_unpacking_is_no_broken_archive(
    debtor: FeedContract, split: Callable[..., Split], tmp_path: Path
) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW] * 5000), 5000)
    with files_of_at_most(100_000), pytest.raises(OSError, match="File too large") as caught:
        split(debtor, drop)
    assert trouble_of(caught.value) is DISK_FULL
    assert split(debtor, drop).delivered_rows == 5000, "with room again, the same file is fine"


def test_a_full_disk_while_reading_a_workbook_is_no_broken_workbook(
    contracts: dict[str, FeedContract], split: Callable[..., Split], tmp_path: Path
) -> None:
    contract = contracts[WORKBOOK_FEED]
    header, *rows = workbook_rows(contract)
    drop = workbook_drop(tmp_path / "drop.xlsx", [header, *(row for _ in range(500) for row in rows)])
    with files_of_at_most(50_000), pytest.raises(OSError, match="File too large") as caught:
        split(contract, drop)
    assert trouble_of(caught.value) is DISK_FULL


def test_no_memory_while_reading_a_workbook_is_no_broken_workbook(
    contracts: dict[str, FeedContract],
    split: Callable[..., Split],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = contracts[WORKBOOK_FEED]
    drop = workbook_drop(tmp_path / "drop.xlsx", workbook_rows(contract))

    def exhausted(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(workbook, "_header", exhausted)
    with pytest.raises(MemoryError) as caught:
        split(contract, drop)
    assert trouble_of(caught.value) is OUT_OF_MEMORY


def test_no_memory_while_checking_is_ours(
    debtor: FeedContract, split: Callable[..., Split], tmp_path: Path
) -> None:
    drop = court_zip(tmp_path / "drop.zip", debtor, csv_bytes(debtor, [DEBTOR_ROW] * 2000), 2000)
    with pytest.raises(Exception) as caught:
        split(debtor, drop, intake_memory_mb=4)
    assert trouble_of(caught.value) is OUT_OF_MEMORY


def test_what_a_departments_connection_broke_with_is_not_ours() -> None:
    error = SourceUnavailable("前置库无法连接")
    error.__cause__ = psycopg.OperationalError("connection refused")
    assert trouble_of(error) is None
    assert trouble_of(psycopg.OperationalError("connection refused")) is DATABASE_LOST


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("server closed the connection unexpectedly", DATABASE_LOST),
        ('could not extend file "base/1/2": No space left on device', DISK_FULL),
        ("Got 2 results, configured to fail if != 0", None),
    ],
)
def test_what_dbt_says_is_understood(said: str, meant: Trouble | None) -> None:
    assert trouble_in(said) is meant
