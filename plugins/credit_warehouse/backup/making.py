"""Making a backup, and thinning out old ones."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from credit_warehouse.backup import database, files, manifest, sealed
from credit_warehouse.backup.errors import BackupError
from credit_warehouse.backup.manifest import Backup, Manifest
from credit_warehouse.database import connect
from credit_warehouse.history import fingerprint
from credit_warehouse.runtime import environment
from credit_warehouse.runtime.embedded import EmbeddedPostgres, PostgresError, client_path
from credit_warehouse.runtime.environment import Environment

SECRETS = "secrets.sealed"
STATE = "CREDIT_POSTGRES_PASSWORD"
"""Name under which the embedded server's superuser password is sealed."""


def make(running: Environment, folder: Path) -> Backup:
    """Back up databases, files and secrets of a running system into a new folder below ``folder``.

    The embedded server: all its databases whole, and from the first backup on its log, into ``folder``. A server given by
    URL: a dump of each of our databases. Readers and writers go on meanwhile. The backup appears whole or not at all.

    Raises:
        BackupError: no passphrase, or a step failed; the message says what to do.
    """
    phrase = sealed.passphrase()
    server = EmbeddedPostgres(running.home) if environment.uses_embedded_postgres(running.home) else None
    began = datetime.now(UTC)
    target = folder / f"{began:%Y%m%dT%H%M%SZ}"
    draft = folder / f".{target.name}"
    draft.mkdir(parents=True, mode=0o700)
    try:
        secrets = _secrets(running, server)
        wal, piece = _begin_archiving(server, folder) if server else (None, "")
        with connect() as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            held = _grouped(fingerprint.take(connection))
            current = connection.execute("select publication_id from ops.current_publication").fetchone()
            version = connection.execute("show server_version").fetchone()
            if server:
                database.base_backup(server, draft / "base")
            else:
                _dump(connection, running, draft)
            roles = database.group_roles(connection)
        # After the database: every batch it knows had its file by then.
        before = manifest.all_in(folder)
        known = before[-1].manifest.files if before else []
        stored = files.store(running.home, folder / "objects", known)
        (draft / SECRETS).write_text(sealed.seal(secrets, phrase), encoding="utf-8")
        found = Manifest(
            kind="base" if server else "dump",
            began_at=began,
            ended_at=datetime.now(UTC),
            server_version=version[0] if version else "",
            wal=wal,
            wal_begins=piece,
            group_roles=roles,
            current_publication=current[0] if current else None,
            fingerprints=held,
            pepper=sealed.fingerprint(secrets["CREDIT_PEPPER"]),
            files=stored,
        )
        manifest.write(draft, found)
        for path in draft.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        draft.rename(target)
    except PostgresError as error:
        raise BackupError(str(error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Backup(target, found)


def thin_out(folder: Path, keep: int) -> int:
    """Remove all but the newest ``keep`` backups, the contents only they hold, and the log from before them. How many."""
    found = manifest.all_in(folder)
    gone, stay = found[: max(len(found) - keep, 0)], found[max(len(found) - keep, 0) :]
    for old in gone:
        shutil.rmtree(old.folder)
    if gone and stay:
        files.forget(folder / "objects", {file.sha256 for one in stay for file in one.manifest.files})
        _forget_log(stay)
    return len(gone)


def _secrets(running: Environment, server: EmbeddedPostgres | None) -> dict[str, str]:
    """Every setting of ours: generated secrets, and the departments' connections with their passwords."""
    found = dict(running.values)
    if not found.get("CREDIT_PEPPER"):
        raise BackupError("CREDIT_PEPPER 未设置，没有它备份无法恢复出同样的主体键")
    found.pop(sealed.PASSPHRASE, None)
    return found | ({STATE: server.password} if server else {})


def _begin_archiving(server: EmbeddedPostgres, folder: Path) -> tuple[str, str]:
    """The folder of the log's archive, and the piece of the log that is being written."""
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        row = connection.execute(
            "select format('wal-%s-%s', system_identifier, timeline_id)"
            " from pg_control_system(), pg_control_checkpoint()"
        ).fetchone()
        assert row is not None
        # A restored server has its maker's number, and a timeline of its own: the two logs never mix.
        if server.wal_archive != folder / row[0]:
            server.archive_wal_to(folder / row[0])
        piece = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone()
    assert piece is not None
    return row[0], piece[0]


def _dump(connection: psycopg.Connection, running: Environment, target: Path) -> None:
    row = connection.execute("select pg_export_snapshot()").fetchone()
    assert row is not None
    for name, setting in database.DUMPED.items():
        url = running.values.get(setting)
        if not url:
            raise BackupError(f"{setting} 未设置，无法备份 {name} 数据库")
        database.dump(url, target / f"{name}.dump", row[0] if name == "warehouse" else None)


def _grouped(found: fingerprint.Fingerprints) -> dict[str, dict[str, str]]:
    grouped: dict[str, dict[str, str]] = {}
    for (publication, mart), value in found.items():
        grouped.setdefault(str(publication), {})[mart] = value
    return grouped


def _forget_log(stay: list[Backup]) -> None:
    for wal in {one.wal for one in stay if one.wal}:
        first = min(one.manifest.wal_begins for one in stay if one.wal == wal)
        subprocess.run(
            [str(client_path("pg_archivecleanup")), "-x", ".gz", str(wal), first],
            check=True,
            capture_output=True,
        )
