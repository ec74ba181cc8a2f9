"""What one backup holds, and how to know after a restore that it is all there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from credit_warehouse.backup.errors import BackupError
from credit_warehouse.backup.files import StoredFile

NAME = "manifest.json"
Kind = Literal["base", "dump"]


@dataclass(frozen=True)
class Manifest:
    """``kind``: base = the whole server, restorable to any later moment its log was archived for; dump = the moment
    ``began_at`` only. ``wal``: folder of the archived log, needed from piece ``wal_begins`` on. ``fingerprints``: publication → mart → :mod:`credit_warehouse.history.fingerprint`."""

    kind: Kind
    began_at: datetime
    ended_at: datetime
    server_version: str
    wal: str | None
    wal_begins: str
    group_roles: list[str]
    current_publication: int | None
    fingerprints: dict[str, dict[str, str]]
    pepper: str
    files: list[StoredFile]


@dataclass(frozen=True)
class Backup:
    """One backup: its folder below the folder of backups, whose contents it shares with the others."""

    folder: Path
    manifest: Manifest

    @property
    def home(self) -> Path:
        return self.folder.parent

    @property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def wal(self) -> Path | None:
        return self.home / self.manifest.wal if self.manifest.wal else None


def write(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), ensure_ascii=False, default=_plain)
    (folder / NAME).write_text(text, encoding="utf-8")


def read(folder: Path) -> Backup:
    """The backup in a folder.

    Raises:
        BackupError: there is none.
    """
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BackupError(f"{folder} 不是备份目录（没有 {NAME}）") from None
    times = {name: datetime.fromisoformat(found[name]) for name in ("began_at", "ended_at")}
    files = [StoredFile(**file) for file in found["files"]]
    return Backup(folder, Manifest(**found | times | {"files": files}))


def all_in(home: Path) -> list[Backup]:
    """The finished backups below a folder, oldest first."""
    return [read(path.parent) for path in sorted(home.glob(f"*/{NAME}"))]


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))
