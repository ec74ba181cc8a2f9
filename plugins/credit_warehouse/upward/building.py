"""The next package: what differs, in files, with the ledger's rows, all in one transaction."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from credit_warehouse.cities import load_city
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from credit_warehouse.settings import Settings
from credit_warehouse.upward import difference, ledger, package
from credit_warehouse.upward.form import broken_rows
from credit_warehouse.upward.ledger import Package
from credit_warehouse.upward.package import CALL_BACKS, Heading, Part


def contracts_upward() -> list[FeedContract]:
    """Feeds whose records go up: those that say in which edition of the double-publicity items they come."""
    return [contract for contract in load_contracts().values() if contract.terms.double_publicity]


def package_path(settings: Settings, platform: str, name: str) -> Path:
    """Where the bytes of a package lie."""
    return settings.upward_dir / platform / f"{name}.zip"


def build(settings: Settings, removals_only: bool = False, retry: bool = False) -> Package | None:
    """Build the next package from the current publication; none when the platform holds what it should.

    Call it under :func:`.ledger.alone`. ``removals_only``: call-backs alone. ``retry``: with rows refused or held before.

    Raises:
        psycopg.Error: the database failed; no number is taken.
    """
    platform = settings.upward_platform
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="package-", dir=settings.scratch_dir) as folder,
        connect() as connection,
    ):
        # One moment of marts, removals and ledger.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        current = connection.execute(
            "select publication_id, business_date from ops.publication"
            " where publication_id = (select ops.reading_publication())"
        ).fetchone()
        if current is None:
            return None
        contracts = contracts_upward()
        difference.compare(connection, platform, contracts, removals_only, retry)
        parts = [] if removals_only else _parts(connection, contracts, current[1], Path(folder), settings)
        difference.call_back(connection)
        call_backs = _copy(connection, sql.SQL(difference.COPY_CALL_BACKS), Path(folder) / CALL_BACKS)
        parts = [part for part in [*parts, call_backs] if part.rows]
        if not parts:
            return None
        number, previous = ledger.next_number(connection, platform)
        region = load_city(settings.city).region_code
        name = f"{region}-{number:06d}"
        heading = Heading(name, number, platform, region, current[1], current[0], previous)
        # A number that is not committed is not taken: the next attempt writes over the file.
        package.write(heading, parts, package_path(settings, platform, name))
        ledger.enter(
            connection,
            heading,
            removals_only,
            sum(part.rows for part in parts),
            package_path(settings, platform, name),
        )
    return ledger.find(platform, number)


def _parts(
    connection: psycopg.Connection,
    contracts: list[FeedContract],
    business_date: date,
    folder: Path,
    settings: Settings,
) -> list[Part]:
    return [_part(connection, contract, business_date, folder, settings) for contract in contracts]


def _part(
    connection: psycopg.Connection,
    contract: FeedContract,
    business_date: date,
    folder: Path,
    settings: Settings,
) -> Part:
    """One feed's file. What its own intake would send back, this office does not send on (minors, what is in no catalogue)."""
    file = folder / f"{contract.feed}.csv"
    part = _copy(connection, difference.copy_rows(contract), file, contract)
    broken = broken_rows(contract, file, business_date, settings) if part.rows else {}
    if broken:
        difference.hold(connection, settings.upward_platform, contract.feed, broken, business_date)
        part = _copy(connection, difference.copy_rows(contract), file, contract)
    return part


def _copy(
    connection: psycopg.Connection,
    statement: sql.SQL | sql.Composed,
    file: Path,
    contract: FeedContract | None = None,
) -> Part:
    with connection.cursor() as cursor, file.open("wb") as out:
        with cursor.copy(statement) as rows:
            for chunk in rows:
                out.write(chunk)
        return Part(file, cursor.rowcount, contract)
