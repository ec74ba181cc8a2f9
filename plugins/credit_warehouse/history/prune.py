"""Moving publications past their time out of the marts: archived first, then said to be archived, then removed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import psycopg
from psycopg import sql

from credit_warehouse.database import connect
from credit_warehouse.history import archive, stores
from credit_warehouse.history.archive import Gap
from credit_warehouse.settings import get_settings


class HistoryError(Exception):
    """History cannot be pruned or read as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Pruned:
    """``publications`` and ``rows`` moved into ``folder`` (none = nothing was due); ``expired`` archives removed for good."""

    publications: int = 0
    rows: int = 0
    folder: str | None = None
    expired: int = 0


@dataclass(frozen=True)
class Standing:
    """One readable publication; ``kept_as`` as in :sql:`ops.publication_due`, none = due."""

    publication_id: int
    business_date: date
    kept_as: str | None


def newest_night() -> date | None:
    """Business date of the newest publication: the day a policy is applied on unless another is named."""
    with connect() as connection:
        row = connection.execute(
            "select max(business_date) from ops.publication where state = 'published'"
        ).fetchone()
    return row[0] if row else None


def standing(connection: psycopg.Connection, as_of: date) -> list[Standing]:
    """Readable publications, oldest first, with the rule (ops.history_rule) that keeps each."""
    rows = connection.execute("select * from ops.publication_due(%s)", [as_of]).fetchall()
    return [Standing(*row) for row in rows]


def prune(as_of: date) -> Pruned:
    """Archive and remove what no rule keeps on the business date ``as_of``; remove archives the law no longer asks for.

    Killed at any moment, the next run goes on: rows leave the marts only after their archive is in the ledger.
    Readers of publications that stay are not blocked and see the same rows; those pinned to one that goes get an error.

    Raises:
        HistoryError: the pointer moved to a publication that was being archived; run it again.
    """
    settings = get_settings()
    with connect() as connection:
        connection.autocommit = True
        # One at a time, for as long as this session lives.
        connection.execute("select pg_advisory_lock(hashtext('credit_warehouse.history'))")
        _sweep(connection)
        done = _archive(connection, settings.archive_dir, as_of)
        _sweep(connection)
        return Pruned(**{**vars(done), "expired": _expire(connection, settings.archive_dir, as_of)})


def _archive(connection: psycopg.Connection, home: Path, as_of: date) -> Pruned:
    found = standing(connection, as_of)
    due = {one.publication_id: one.business_date for one in found if one.kept_as is None}
    if not due:
        return Pruned()
    kept = [one.publication_id for one in found if one.kept_as is not None]
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = home / f"{as_of:%Y-%m-%d}-{min(due)}-{max(due)}"
    if folder.exists():  # of a run that was killed before the ledger knew it
        shutil.rmtree(folder)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        manifest, sha256 = archive.write(connection, folder, as_of, due, _gaps(kept, due))
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.publication'))")
        still_due = {one.publication_id for one in standing(connection, as_of) if one.kept_as is None}
        if not due.keys() <= still_due:
            shutil.rmtree(folder)
            moved = sorted(due.keys() - still_due)
            raise HistoryError(f"归档期间发布批次 {moved} 又成为读者所见，未归档任何内容，请重新运行")
        row = connection.execute(
            "insert into ops.history_archive (as_of, folder, manifest_sha256, rows, bytes)"
            " values (%s, %s, %s, %s, %s) returning archive_id",
            [as_of, folder.name, sha256, manifest.rows, manifest.bytes],
        ).fetchone()
        assert row is not None
        connection.execute(
            "insert into ops.pruned_publication select unnest(%s::bigint[]), %s", [sorted(due), row[0]]
        )
    return Pruned(len(due), manifest.rows, folder.name)


def _sweep(connection: psycopg.Connection) -> None:
    """Remove the versions of archives whose removal is still to come; twice is once."""
    pending = connection.execute(
        "select archive_id, as_of from ops.history_archive where swept_at is null order by archive_id"
    ).fetchall()
    for archive_id, as_of in pending:
        members = connection.execute(
            "select publication_id from ops.pruned_publication where archive_id = %s", [archive_id]
        )
        gone = {number: as_of for (number,) in members}
        kept = [one.publication_id for one in standing(connection, as_of)]
        condition = archive.in_gaps(_gaps(kept, gone))
        for store in stores.names(connection):
            deleted = connection.execute(
                sql.SQL("delete from {} as stored where {}").format(stores.table(store), condition)
            )
            if deleted.rowcount:
                # The space is for the next night's versions, the map for index-only scans; neither waits for autovacuum.
                connection.execute(sql.SQL("vacuum (analyze) {}").format(stores.table(store)))
        connection.execute(
            "update ops.history_archive set swept_at = clock_timestamp() where archive_id = %s", [archive_id]
        )


def _gaps(kept: list[int], gone: dict[int, date]) -> list[Gap]:
    """Neighbours among ``kept`` with something of ``gone`` between them. The newest publication is always kept."""
    return [
        Gap(low, high)
        for low, high in pairwise([0, *sorted(kept)])
        if any(low < number < high for number in gone)
    ]


def _expire(connection: psycopg.Connection, home: Path, as_of: date) -> int:
    """Remove the files of archives all of whose publications are past the time queries must be answerable
    (ops.deadline query_log/retain, DOMAIN.md §4.4)."""
    expired = connection.execute(_EXPIRED, {"as_of": as_of}).fetchall()
    for archive_id, folder in expired:
        shutil.rmtree(home / folder, ignore_errors=True)
        connection.execute(
            "update ops.history_archive set removed_on = %s where archive_id = %s", [as_of, archive_id]
        )
    return len(expired)


_EXPIRED = """
    with retention as (
        select make_interval(months => rule.amount * case rule.unit when 'year' then 12 else 1 end) as time
        from ops.deadline as rule inner join ops.office as office on rule.region in (office.region_rules, '*')
        where rule.procedure = 'query_log' and rule.step = 'retain' and rule.unit in ('month', 'year')
            and rule.valid_from <= %(as_of)s and (rule.valid_to is null or rule.valid_to >= %(as_of)s)
        order by rule.region = '*' limit 1
    )
    select archive.archive_id, archive.folder
    from ops.history_archive as archive
    inner join ops.pruned_publication as pruned using (archive_id)
    inner join ops.publication using (publication_id)
    where archive.removed_on is null and archive.swept_at is not null
    group by archive.archive_id, archive.folder
    having max(publication.business_date) + (select retention.time from retention) < %(as_of)s
    order by archive.archive_id
"""
