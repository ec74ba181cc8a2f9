"""Packages of a department: one per night, and a supplement for what a night that is run again brings on top."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg

from credit_warehouse.database import connect
from credit_warehouse.feedback.address import load_addresses
from credit_warehouse.feedback.package import Package, find_package, write_package
from credit_warehouse.intake.error_codes import refusal_code
from credit_warehouse.settings import get_settings


def build(source: str, business_date: date) -> list[str]:
    """A package for every night up to ``business_date`` with something not yet returned. Returns the new numbers.

    A batch goes back whole and once: what is built again finds nothing new.
    """
    built: list[str] = []
    with connect() as connection:
        connection.execute(
            "select pg_advisory_xact_lock(hashtext('credit_warehouse.feedback'), hashtext(%s))", [source]
        )
        for night, batches in _unreturned(connection, source, business_date):
            package_id = _enter(connection, source, night, batches)
            if package_id is not None:
                built.append(_write(connection, package_id, source, night).heading.package_no)
    return built


def package_on_disk(connection: psycopg.Connection, package_id: int) -> Package:
    """The package as it was built, or written once more where its files are gone: the bytes are the same."""
    source, night, digest = connection.execute(
        "select source, business_date, sha256 from ops.feedback_package where package_id = %s", [package_id]
    ).fetchone() or ("", date.min, "")
    found = find_package(connection, package_id, _folder(source, night))
    if found is not None and found.sha256 == digest:
        return found
    return _write(connection, package_id, source, night)


def _write(connection: psycopg.Connection, package_id: int, source: str, night: date) -> Package:
    package = write_package(connection, package_id, _folder(source, night))
    connection.execute(
        "update ops.feedback_package set sha256 = %s where package_id = %s", [package.sha256, package_id]
    )
    return package


def _folder(source: str, night: date) -> Path:
    return get_settings().feedback_dir / source / f"{night:%Y%m%d}"


def _unreturned(
    connection: psycopg.Connection, source: str, business_date: date
) -> list[tuple[date, list[int]]]:
    return connection.execute(
        "select business_date, array_agg(batch_id order by batch_id) from ops.batch join ops.feed using (feed)"
        " where feed.source = %s and business_date <= %s and not is_returned"
        " and batch.state in ('accepted', 'refused') group by business_date order by business_date",
        [source, business_date],
    ).fetchall()


def _enter(connection: psycopg.Connection, source: str, night: date, batches: list[int]) -> int | None:
    """The package and its items in the ledger; none where the batches hold nothing to return."""
    connection.execute("update ops.batch set is_returned = true where batch_id = any(%s)", [batches])
    refused = connection.execute(
        "select batch_id, refusal_code from ops.batch where batch_id = any(%s) and state = 'refused'",
        [batches],
    ).fetchall()
    rows, errors = connection.execute(
        "select count(*), coalesce(sum(jsonb_array_length(violations)), 0)::bigint from quarantine.rejected_row"
        " where batch_id = any(%s)",
        [batches],
    ).fetchone() or (0, 0)
    if not rows and not refused:
        return None
    number = connection.execute(
        "select coalesce(max(number), 0) + 1 from ops.feedback_package where source = %s and business_date = %s",
        [source, night],
    ).fetchone()
    assert number is not None
    found = connection.execute(
        "insert into ops.feedback_package (package_no, source, department_code, business_date, number, state, rows,"
        " errors, refused_batches, sha256) values (%s, %s, %s, %s, %s, 'built', %s, %s, %s, repeat('0', 64))"
        " returning package_id",
        [
            f"FB-{source}-{night:%Y%m%d}-{number[0]:02d}",
            source,
            load_addresses()[source].department,
            night,
            number[0],
            rows,
            errors + len(refused),
            len(refused),
        ],
    ).fetchone()
    assert found is not None
    package_id = int(found[0])
    connection.cursor().executemany(
        "insert into ops.feedback_item (package_id, batch_id, source_row, position, error_code, rule, field)"
        " values (%s, %s, 0, 1, %s, %s, '')",
        [(package_id, batch_id, refusal_code(code), code) for batch_id, code in refused],
    )
    connection.execute(
        "insert into ops.feedback_item (package_id, batch_id, source_row, position, error_code, rule, field)"
        " select %s, batch_id, source_row, position, (violation ->> 'error_code')::int, violation ->> 'rule',"
        " violation ->> 'field' from quarantine.rejected_row,"
        " jsonb_array_elements(violations) with ordinality as error(violation, position) where batch_id = any(%s)",
        [package_id, batches],
    )
    return package_id
