"""What was published about somebody, in any publication ever, from the marts and the archives together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from credit_warehouse.database import connect
from credit_warehouse.history import archive, stores
from credit_warehouse.history.prune import HistoryError
from credit_warehouse.settings import get_settings

Row = dict[str, str | None]
"""Column → value as PostgreSQL writes it, without the two version columns."""


def publication_on(day: date) -> int:
    """The newest publication of the nights up to ``day``.

    Raises:
        HistoryError: nothing was published by then.
    """
    with connect() as connection:
        row = connection.execute(
            "select max(publication_id) from ops.publication where state = 'published' and business_date <= %s",
            [day],
        ).fetchone()
    if row is None or row[0] is None:
        raise HistoryError(f"{day} 及以前没有发布过任何批次")
    return int(row[0])


def published_about(key: str, publication_id: int, column: str = "subject_key") -> dict[str, list[Row]]:
    """Mart → the rows with this key that the publication held, whole: also what the law has since taken from readers,
    so it is for the auditor's eyes. ``column`` may be any column of the marts; marts without it are left out.

    Raises:
        HistoryError: never published, or its archive is past its time and removed.
        ArchiveDamaged: an archive is not the one that was written.
    """
    with connect() as connection:
        found = {
            store: _stored(connection, store, column, key, publication_id)
            for store in stores.names(connection)
            if column in stores.columns(connection, store)
        }
        for folder_name, sha256 in _archives(connection, publication_id):
            folder = get_settings().archive_dir / folder_name
            for mart in archive.read_manifest(folder, sha256).marts:
                if column in mart.columns and mart.first <= publication_id <= mart.last:
                    _add(
                        found.setdefault(mart.mart, []),
                        (
                            row
                            for row in archive.versions(archive.checked(folder, mart), column, key)
                            if row["valid_from_publication"] <= publication_id < row["valid_to_publication"]
                        ),
                    )
    # The same answer before and after archiving.
    return {mart: sorted(rows, key=_in_order) for mart, rows in found.items() if rows}


def _in_order(row: Row) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(row.items())]


def archived_versions(
    connection: psycopg.Connection, mart: str, column: str, key: str
) -> list[dict[str, Any]]:
    """Every archived version of a mart's rows with this key, the two version columns as numbers, in no order.

    Raises:
        ArchiveDamaged: an archive is not the one that was written.
    """
    found: list[dict[str, Any]] = []
    for folder_name, sha256 in connection.execute(
        "select folder, manifest_sha256 from ops.history_archive where removed_on is null order by archive_id"
    ).fetchall():
        folder = get_settings().archive_dir / folder_name
        for file in archive.read_manifest(folder, sha256).marts:
            if file.mart == mart:
                found += archive.versions(archive.checked(folder, file), column, key)
    return found


def _add(rows: list[Row], archived: Iterable[Row]) -> None:
    """Between archiving and removal a version is in both places."""
    for row in archived:
        plain = {name: value for name, value in row.items() if name not in stores.VERSIONS}
        if plain not in rows:
            rows.append(plain)


def _stored(
    connection: psycopg.Connection, store: str, column: str, key: str, publication_id: int
) -> list[Row]:
    names = stores.columns(connection, store)
    query = sql.SQL(
        "select {} from {} where {} = %(key)s and valid_from_publication <= %(publication)s"
        " and (valid_to_publication is null or valid_to_publication > %(publication)s)"
    ).format(
        sql.SQL(", ").join(sql.SQL("{0}::text as {0}").format(sql.Identifier(name)) for name in names),
        stores.table(store),
        sql.Identifier(column),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {"key": key, "publication": publication_id}).fetchall()


def _archives(connection: psycopg.Connection, publication_id: int) -> list[tuple[str, str]]:
    """Folder and digest of the archives that may hold versions of this publication; none while it is readable."""
    row = connection.execute(
        "select state, archive_id, removed_on from ops.publication left join ops.pruned_publication"
        " using (publication_id) left join ops.history_archive using (archive_id) where publication_id = %s",
        [publication_id],
    ).fetchone()
    if row is None or row[0] != "published":
        raise HistoryError(f"发布批次 {publication_id} 不存在或未发布过")
    if row[1] is None:
        return []
    if row[2] is not None:
        raise HistoryError(f"发布批次 {publication_id} 的归档已过法定保存期，于 {row[2]} 删除，无法再查")
    # A version this publication shares with one archived later went with that one.
    return connection.execute(
        "select folder, manifest_sha256 from ops.history_archive where archive_id >= %s and removed_on is null"
        " order by archive_id",
        [row[1]],
    ).fetchall()
