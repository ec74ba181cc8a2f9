"""The way back: a backup becomes a new system, which is then compared with what was recorded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import psycopg

from credit_warehouse.backup import database, files, manifest, sealed
from credit_warehouse.backup.errors import BackupError
from credit_warehouse.backup.making import SECRETS, STATE
from credit_warehouse.backup.manifest import Backup
from credit_warehouse.history import fingerprint
from credit_warehouse.identity import duckdb as macros
from credit_warehouse.runtime import envfile
from credit_warehouse.runtime.embedded import EmbeddedPostgres, PostgresError


@dataclass
class Restored:
    """The new system as found. ``publications``: readable ones; ``compared``: (publication, mart) pairs that were recorded
    in the backup; ``differing`` those that are not as recorded; ``missing_files``: landed files the ledger knows and
    the backup does not hold; ``strange_keys``: identities in the vault whose key the pepper does not give."""

    home: Path
    publications: int
    current: int | None
    newest_flip: datetime | None
    compared: int = 0
    differing: list[tuple[int, str]] = field(default_factory=list)
    missing_files: list[str] = field(default_factory=list)
    strange_keys: int = 0

    @property
    def is_whole(self) -> bool:
        return not (self.differing or self.strange_keys)


def choose(folder: Path, until: datetime | None) -> Backup:
    """The newest backup from before a moment (default: the newest). ``folder``: one backup, or a folder of them.

    Raises:
        BackupError: there is none.
    """
    found = [manifest.read(folder)] if (folder / manifest.NAME).exists() else manifest.all_in(folder)
    # A base backup is whole only from its end on.
    fitting = [one for one in found if until is None or one.manifest.ended_at <= until]
    if not fitting:
        raise BackupError(f"{folder} 中没有 {until or ''} 之前完成的备份")
    return fitting[-1]


def restore(
    backup: Backup, home: Path, until: datetime | None = None, urls: dict[str, str] | None = None
) -> Restored:
    """Make a system in the new folder ``home`` from a backup, as of ``until`` (default: the newest state there is), with
    its database running, and compare it with what the backup recorded. The old system is not touched.

    ``urls``: for a dump, the empty databases to fill (``warehouse``, ``airflow``).

    Raises:
        BackupError: ``home`` is not new, another passphrase, the log does not reach ``until``, something is damaged.
    """
    if home.exists() and any(home.iterdir()):
        raise BackupError(f"{home} 不是空目录：恢复到新目录，核对后再切换")
    if backup.manifest.kind == "dump" and (until is not None or not urls):
        raise BackupError(
            "这份备份是导出文件：只能恢复到制作时刻，并须用 --warehouse-url、--airflow-url 指明空数据库"
        )
    secrets = sealed.open_sealed((backup.folder / SECRETS).read_text(encoding="utf-8"), sealed.passphrase())
    if sealed.fingerprint(secrets["CREDIT_PEPPER"]) != backup.manifest.pepper:
        raise BackupError("密钥文件中的 CREDIT_PEPPER 不是制作备份时所用的，请核对密钥文件是否被替换")
    home.mkdir(parents=True, exist_ok=True)
    try:
        stored = _files_at(backup, until).files
        files.bring_back(stored, backup.objects, home)
        if backup.manifest.kind == "base":
            url = _recover(backup, home, until, secrets)
        else:
            url = _load(backup, urls or {})
        _write_secrets(home, secrets)
        return _compare(backup, home, url, secrets["CREDIT_PEPPER"])
    except BaseException as error:
        _discard(home)
        if isinstance(error, PostgresError):
            raise BackupError(
                f"数据库未能恢复：{error}\n如目标时刻晚于最后归档的日志，请用更早的 --at，或不指定以恢复到最新"
            ) from error
        raise


def _files_at(backup: Backup, until: datetime | None) -> manifest.Manifest:
    """The first backup that ended after the moment holds every file there was; without one, the newest. Files of later
    nights do no harm: nothing knows them."""
    if backup.manifest.kind == "dump":
        return backup.manifest
    later = [
        one.manifest
        for one in manifest.all_in(backup.home)
        if one.manifest.ended_at >= backup.manifest.ended_at
    ]
    return next((one for one in later if until is not None and one.began_at >= until), later[-1])


def _recover(backup: Backup, home: Path, until: datetime | None, secrets: dict[str, str]) -> str:
    server = EmbeddedPostgres(home)
    server.recover(
        lambda data: database.unpack(backup.folder / "base", data),
        backup.wal,
        until.isoformat(sep=" ") if until else None,
        secrets[STATE],
    )
    name = psycopg.conninfo.conninfo_to_dict(secrets["CREDIT_DATABASE_URL"])["dbname"]
    return server.admin_url(str(name))


def _load(backup: Backup, urls: dict[str, str]) -> str:
    for name in database.DUMPED:
        if name not in urls:
            raise BackupError(f"请用 --{name}-url 指明恢复 {name} 的空数据库")
        database.load(backup.folder / f"{name}.dump", urls[name], backup.manifest.group_roles)
    return urls["warehouse"]


def _write_secrets(home: Path, secrets: dict[str, str]) -> None:
    """What the next ``up`` goes by. Addresses of the old system, which it finds out anew, are left out."""
    derived = (STATE, "CREDIT_HOME", "CREDIT_AIRFLOW_PORT")
    kept = {
        name: value
        for name, value in secrets.items()
        if name not in derived and not name.endswith("_URL") and "SQL_ALCHEMY_CONN" not in name
    }
    envfile.write(home / "runtime.env", [("Restored from a backup.", kept)])


def _compare(backup: Backup, home: Path, url: str, pepper: str) -> Restored:
    with psycopg.connect(url) as connection:
        held = fingerprint.take(connection)
        current = connection.execute("select publication_id from ops.current_publication").fetchone()
        flip = connection.execute("select max(flipped_at) from ops.publication_flip").fetchone()
        landed = connection.execute("select landed_path from ops.batch order by batch_id").fetchall()
        identities = connection.execute(
            "select replace(subject_key::text, '-', ''), id_type, id_value from vault.identity order by subject_key limit 1000"
        ).fetchall()
    found = Restored(
        home,
        len({publication for publication, _ in held}),
        current[0] if current else None,
        flip[0] if flip else None,
    )
    readable = {publication for publication, _ in held}
    for number, marts in backup.manifest.fingerprints.items():
        # Archived since: its rows went to files that are part of the backup.
        if int(number) in readable:
            found.compared += len(marts)
            found.differing += [
                (int(number), mart) for mart, value in marts.items() if held.get((int(number), mart)) != value
            ]
    found.missing_files = [path for (path,) in landed if not (home / "landing" / path).exists()]
    found.strange_keys = _strange(identities, pepper)
    return found


def _strange(identities: list[tuple[str, str, str]], pepper: str) -> int:
    """How many of these are not the keys this pepper gives."""
    with duckdb.connect() as engine:
        macros.install(engine, pepper)
        return sum(
            engine.execute("select subject_key(?, ?)", [id_type, value]).fetchone() != (key,)
            for key, id_type, value in identities
        )


def _discard(home: Path) -> None:
    """Remove what was half restored, so that it can be tried again."""
    if (home / "postgres.json").exists():
        EmbeddedPostgres(home).destroy()
    shutil.rmtree(home, ignore_errors=True)
