"""The databases of a backup: the embedded server whole, with its log; a server given by URL by dumps."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from credit_warehouse.backup.errors import BackupError
from credit_warehouse.runtime.embedded import EmbeddedPostgres, client_path

DUMPED = {"warehouse": "CREDIT_DATABASE_URL", "airflow": "CREDIT_AIRFLOW_DATABASE_URL"}
"""Database of ours → the setting that names it. The exchange database is the departments' own."""


def base_backup(server: EmbeddedPostgres, folder: Path) -> None:
    """Copy the running server into ``folder`` (compressed tar, checked), with the log it needs to be whole.

    Raises:
        BackupError: pg_basebackup or pg_verifybackup failed.
    """
    _run("pg_basebackup", server.admin_url(), "--pgdata", str(folder), "--format=tar", "--gzip", "--wal-method=stream",
         "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password")  # fmt: skip
    _run("pg_verifybackup", None, "--no-parse-wal", str(folder))


def unpack(folder: Path, data: Path) -> None:
    """Write a base backup into a data folder."""
    for name, target in (("base.tar.gz", data), ("pg_wal.tar.gz", data / "pg_wal")):
        with tarfile.open(folder / name) as packed:
            packed.extractall(target, filter="tar")


def dump(url: str, target: Path, snapshot: str | None) -> None:
    """Dump one database, as of an exported snapshot.

    Raises:
        BackupError: pg_dump failed.
    """
    at = ["--snapshot", snapshot] if snapshot else []
    _run("pg_dump", url, "--format=custom", "--no-password", "--file", str(target), *at)


def load(dumped: Path, url: str, group_roles: list[str]) -> None:
    """Fill an empty database from a dump; all or nothing.

    Raises:
        BackupError: it is not empty, or pg_restore failed.
    """
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(url) as connection:
        used = connection.execute(
            "select count(*) from pg_class where relnamespace::regnamespace::text"
            " not in ('pg_catalog', 'information_schema', 'pg_toast')"
        ).fetchone()
        if used != (0,):
            raise BackupError(f"数据库 {name} 不是空的，请恢复到新建的空数据库")
        for role in group_roles:
            if connection.execute("select from pg_roles where rolname = %s", [role]).fetchone() is None:
                connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    _run(
        "pg_restore",
        url,
        f"--dbname={name}",
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        "--no-password",
        str(dumped),
    )


def group_roles(connection: psycopg.Connection) -> list[str]:
    """Roles of the server that grants in a dump speak of; a dump does not make them."""
    rows = connection.execute(
        "select rolname from pg_roles where not rolcanlogin and rolname like 'credit\\_%' order by 1"
    )
    return [role for (role,) in rows]


def _run(program: str, url: str | None, *arguments: str) -> None:
    done = subprocess.run(
        [str(client_path(program)), *arguments],
        env={**os.environ, **(_variables(url) if url else {})},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise BackupError(f"{program} 失败（{done.returncode}）：{done.stderr.strip()}")


def _variables(url: str) -> Mapping[str, str]:
    # By variables, not by arguments: a command line can be read by everybody on the machine.
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "dbname": "PGDATABASE",
        "user": "PGUSER",
        "password": "PGPASSWORD",
    }
    return {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}
