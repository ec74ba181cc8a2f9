"""Packages and their rows on record: every step of a package is one transaction here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import class_row

from credit_warehouse.database import connect
from credit_warehouse.intake.archive import sha256_of
from credit_warehouse.upward.difference import SHAREABLE
from credit_warehouse.upward.package import Heading

if TYPE_CHECKING:
    from credit_warehouse.upward.receipt import Receipt


class ExchangeBusy(RuntimeError):
    """Another run exchanges with this platform right now."""


class UnknownPackage(LookupError):
    """There is no such package, or it is closed; the message says which."""


@dataclass(frozen=True)
class Package:
    """One row of ``ops.exchange_package``."""

    package_id: int
    platform: str
    number: int
    name: str
    business_date: date
    publication_id: int
    rows: int
    sha256: str
    state: str
    attempted_at: datetime | None
    sent_at: datetime | None


_COLUMNS = "package_id, platform, number, name, business_date, publication_id, rows, sha256, state, attempted_at, sent_at"


_LOCK = "hashtext('credit_warehouse.exchange'), hashtext(%s)"


@contextmanager
def alone(platform: str) -> Iterator[None]:
    """Nobody else exchanges with the platform meanwhile; a killed process lets go by itself.

    Raises:
        ExchangeBusy: somebody does.
    """
    with connect() as connection:
        connection.autocommit = True
        # The server may notice the end of a killed process a moment later.
        connection.execute("set lock_timeout = '20s'")
        try:
            connection.execute(f"select pg_advisory_lock({_LOCK})", [platform])
        except psycopg.errors.LockNotAvailable:
            raise ExchangeBusy(f"另一任务正在与平台 {platform} 交换，请稍后再试") from None
        try:
            yield
        finally:
            connection.execute(f"select pg_advisory_unlock({_LOCK})", [platform])


def open_packages(platform: str, state: str) -> list[Package]:
    """Packages in a state, in the order they must reach the platform."""
    with connect() as connection, connection.cursor(row_factory=class_row(Package)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.exchange_package where platform = %s and state = %s order by number",
            [platform, state],
        ).fetchall()


def find(platform: str, number: int) -> Package:
    """The package with this number.

    Raises:
        UnknownPackage: there is none.
    """
    with connect() as connection, connection.cursor(row_factory=class_row(Package)) as cursor:
        found = cursor.execute(
            f"select {_COLUMNS} from ops.exchange_package where platform = %s and number = %s",
            [platform, number],
        ).fetchone()
    if found is None:
        raise UnknownPackage(f"平台 {platform} 没有编号为 {number} 的交换包")
    return found


def is_stale(package: Package) -> bool:
    """Whether a row of it may no longer be shared as it stands there."""
    with connect() as connection:
        row = connection.execute(
            "select exists (select from ops.exchange_item as item where item.package_id = %s"
            " and item.operation <> 'delete' and not exists (select from mart.queryable_credit_record as record"
            " where (record.record_key, record.feed, record.batch_id, record.source_row)"
            f" = (item.record_key, item.feed, item.batch_id, item.source_row) and {SHAREABLE}))",
            [package.package_id],
        ).fetchone()
    return row == (True,)


def attempted(package: Package) -> None:
    """From here on the platform may hold it. The first time counts."""
    _course(package, "attempted_at = coalesce(attempted_at, clock_timestamp())")


def sent(package: Package) -> None:
    """It arrived whole, as far as the transport can tell."""
    _course(package, "state = 'sent', sent_at = clock_timestamp(), message = null")


def set_back(package: Package, message: str) -> None:
    """It arrived damaged and is to be uploaded again, the same bytes."""
    _course(package, "state = 'built', message = %(message)s", message)


def note(package: Package, message: str) -> None:
    """Keep what is wrong with its receipt; it goes on waiting."""
    _course(package, "message = %(message)s", message)


def overtaken(package: Package) -> bool:
    """Whether a later package may have reached the platform already."""
    with connect() as connection:
        row = connection.execute(
            "select exists (select from ops.exchange_package where platform = %s and number > %s"
            " and attempted_at is not null)",
            [package.platform, package.number],
        ).fetchone()
    return row == (True,)


def give_up(package: Package, message: str) -> None:
    """Close it without an answer; what it held goes again, or is called back, under a later number.

    Raises:
        UnknownPackage: it is closed already.
    """
    with connect() as connection:
        closed = connection.execute(
            "update ops.exchange_package set state = 'failed', closed_at = clock_timestamp(), message = %s"
            " where package_id = %s and state in ('built', 'sent')",
            [message, package.package_id],
        )
        if not closed.rowcount:
            raise UnknownPackage(f"交换包 {package.name} 已办结，不能作废")
        connection.execute(
            "update ops.exchange_item set outcome = 'void' where package_id = %s and outcome = 'waiting'",
            [package.package_id],
        )


def answer(package: Package, receipt: Receipt) -> bool:
    """Take a receipt in, whole or not at all. False: it names rows the package does not have."""
    with connect() as connection:
        refused = connection.execute(
            "update ops.exchange_item set outcome = 'rejected', reject_reason = told.reason"
            " from unnest(%s::uuid[], %s::text[]) as told (record_key, reason)"
            " where package_id = %s and exchange_item.record_key = told.record_key",
            [
                [row.record_key for row in receipt.rejected],
                [row.reason for row in receipt.rejected],
                package.package_id,
            ],
        ).rowcount
        if refused != len(receipt.rejected):
            connection.rollback()
            return False
        connection.execute(
            "update ops.exchange_item set outcome = 'accepted' where package_id = %s and outcome = 'waiting'",
            [package.package_id],
        )
        state = (
            "acknowledged" if not refused else "rejected" if refused == package.rows else "partly_rejected"
        )
        connection.execute(
            "update ops.exchange_package set state = %s, receipt = %s::jsonb, answered_at = clock_timestamp(),"
            " message = null where package_id = %s",
            [state, receipt.model_dump_json(), package.package_id],
        )
        return True


def _course(package: Package, change: str, message: str | None = None) -> None:
    with connect() as connection:
        connection.execute(
            f"update ops.exchange_package set {change} where package_id = %(package)s",
            {"package": package.package_id, "message": message},
        )


def enter(
    connection: psycopg.Connection, heading: Heading, is_removals_only: bool, rows: int, path: Path
) -> None:
    """Put the package and its rows (tables of :mod:`.difference`) on record, in the caller's transaction."""
    row = connection.execute(
        "insert into ops.exchange_package (platform, number, name, previous_name, is_removals_only, business_date,"
        " publication_id, rows, bytes, sha256) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning package_id",
        [
            heading.platform,
            heading.number,
            heading.package,
            heading.previous,
            is_removals_only,
            heading.business_date,
            heading.publication,
            rows,
            path.stat().st_size,
            sha256_of(path),
        ],
    ).fetchone()
    assert row is not None
    connection.execute(
        "insert into ops.exchange_item"
        " (package_id, record_key, feed, batch_id, source_row, operation, digest, call_back_reason)"
        " select %(package)s, record_key, feed, batch_id, source_row, operation, digest, null from exchange_fresh"
        " union all"
        " select %(package)s, record_key, feed, batch_id, source_row, 'delete', digest, call_back_reason"
        " from exchange_call_back",
        {"package": row[0]},
    )
    connection.execute(
        "delete from ops.exchange_held using exchange_fresh as fresh"
        " where exchange_held.platform = %s and exchange_held.record_key = fresh.record_key",
        [heading.platform],
    )


def next_number(connection: psycopg.Connection, platform: str) -> tuple[int, str | None]:
    """Number of the next package, and the name of the last one that was not given up."""
    row = connection.execute(
        "select coalesce(max(number), 0) + 1,"
        " (array_agg(name order by number desc) filter (where state <> 'failed'))[1]"
        " from ops.exchange_package where platform = %s",
        [platform],
    ).fetchone()
    assert row is not None
    return int(row[0]), row[1]
