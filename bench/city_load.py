"""A city straight into the warehouse: accepted rows in bulk, as the intake leaves them, without its reading and checking.

Keys, counts, ledger and vault come from the intake's own code; ``tests/integration/intake/test_city.py`` holds that a city
taken in and a city loaded here are the same, row for row.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from bench.city import City, night_date, open_duckdb, rows_query
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from credit_warehouse.intake import ledger, loading, split, verbs
from credit_warehouse.intake.cells import count_cells
from credit_warehouse.intake.rules import compile_rules, facts, value_expression
from credit_warehouse.outcomes import step
from credit_warehouse.settings import get_settings

BATCH_ROWS = 1_000_000
"""Rows of a batch of the first night: what bounds the memory of a load."""


def load_night(city: City, night: int = 0, feeds: Sequence[str] | None = None) -> int:
    """Every feed's delivery of a night as accepted batches, and the answers of their sources. Returns the rows loaded."""
    rows, pepper = 0, get_settings().pepper
    assert pepper is not None
    with open_duckdb(pepper.get_secret_value()) as connection:
        for feed in feeds or city.shapes:
            for part in _parts(city, feed, night):
                rows += _load(connection, city, load_contracts()[feed], night, part)
    for source in sorted({feed.split(".")[0] for feed in feeds or city.shapes}):
        verbs.settle(source, night_date(night))
    if night == 0:
        _analyze()
    return rows


def _parts(city: City, feed: str, night: int) -> list[tuple[int, int]]:
    rows = city.rows(feed) if night == 0 else 1
    return [(first, min(first + BATCH_ROWS, rows)) for first in range(0, rows, BATCH_ROWS)]


def _load(
    connection: duckdb.DuckDBPyConnection,
    city: City,
    contract: FeedContract,
    night: int,
    part: tuple[int, int],
) -> int:
    day = night_date(night)
    name = f"{contract.feed}/{day}/{part[0]}"
    landed = ledger.Landed(name, day, hashlib.sha256(f"{city} {name}".encode()).hexdigest(), name, 0, None)
    with connect() as warehouse, tempfile.TemporaryDirectory(prefix="city-") as scratch:
        batch, _ = ledger.register(warehouse, contract, day, landed)
        with step("load", day, source=contract.source, feed=contract.feed):
            found = _split(
                connection,
                contract,
                rows_query(city, contract.feed, night, part),
                batch.batch_id,
                day,
                Path(scratch),
            )
            loading._write(warehouse, contract, batch, found)
        verbs._accept(warehouse, batch.batch_id)
    return found.accepted_rows


def _split(
    connection: duckdb.DuckDBPyConnection,
    contract: FeedContract,
    rows: str,
    batch_id: int,
    day: date,
    scratch: Path,
) -> split.Split:
    """What :func:`split.split_delivery` finds in a delivery in which every row is right."""
    connection.execute("set variable delivered_for = ?::date", [day])
    connection.execute("set variable batch_id = ?::bigint", [batch_id])
    texts = ", ".join(f'"{field.name}" as t_{field.name}' for field in contract.fields)
    values = ", ".join(f"{value_expression(field)} as v_{field.name}" for field in contract.fields)
    known = "".join(f", {condition} as {name}" for name, condition in facts(contract).items())
    connection.execute(
        f"""
        create or replace temp table checked as
        with texts as (select source_row, {texts} from ({rows})),
        typed as (select *, {values} from texts),
        facts as (select * {known} from typed)
        select *, {split._record_key(contract)} as record_key, []::int[] as broken from facts
        """
    )
    connection.execute(
        "create or replace temp table superseded as select 0::bigint as source_row where false"
    )
    accepted, rejected = scratch / "accepted.csv", scratch / "rejected.csv"
    count = split._copy(connection, split._accepted_query(contract), accepted)
    rejected.touch()
    return split.Split(
        accepted=accepted,
        rejected=rejected,
        delivered_rows=count,
        accepted_rows=count,
        rejected_rows=0,
        declared_rows=count if contract.terms.delivery.receipt == "manifest" else None,
        rule_counts={},
        fill_rates=split._fill_rates(connection, contract),
        cell_counts=count_cells(connection, contract, compile_rules(contract)),
        missing_optional=[],
        extra=[],
    )


def _analyze() -> None:
    with connect() as warehouse:
        warehouse.execute("analyze")
