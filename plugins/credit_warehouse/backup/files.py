"""The files of a home, each content stored once under its SHA-256, however many backups hold it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from credit_warehouse.backup.errors import BackupError

FOLDERS = ("landing", "archive", "upward", "feedback", "bulletins", "data_docs", "logs")
"""Of CREDIT_HOME: evidence, what was sent, archived publications, and task logs (网络安全法 §21, DOMAIN.md §4.4)."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """One file of a backup; ``path`` relative to the home, ``modified_ns`` its time of change."""

    path: str
    bytes: int
    modified_ns: int
    sha256: str


def store(home: Path, objects: Path, before: Iterable[StoredFile]) -> list[StoredFile]:
    """Store every file below the folders of ``home``. Those unchanged in size and time since ``before`` are not read again."""
    objects.mkdir(parents=True, exist_ok=True)
    known = {(file.path, file.bytes, file.modified_ns): file for file in before}
    found = []
    for folder in FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            relative, status = path.relative_to(home).as_posix(), path.stat()
            same = known.get((relative, status.st_size, status.st_mtime_ns))
            if same and _place(objects, same.sha256).exists():
                found.append(same)
            else:
                found.append(_take_in(path, objects, relative, status.st_mtime_ns))
    return found


def bring_back(files: Iterable[StoredFile], objects: Path, home: Path) -> None:
    """Write the files below ``home``.

    Raises:
        BackupError: a content is missing or damaged.
    """
    for file in files:
        source, target = _place(objects, file.sha256), home / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not source.exists() or _copy(source, target) != file.sha256:
            raise BackupError(f"备份文件 {source}（{file.path}）缺失或已损坏，请改用另一份备份")
        os.utime(target, ns=(file.modified_ns, file.modified_ns))
        target.chmod(0o440 if file.path.startswith("landing/") else 0o600)


def forget(objects: Path, needed: set[str]) -> int:
    """Remove the contents no backup needs; how many."""
    unneeded = [path for path in objects.glob("*/*") if path.name not in needed]
    for path in unneeded:
        path.unlink()
    return len(unneeded)


def _place(objects: Path, sha256: str) -> Path:
    return objects / sha256[:2] / sha256


def _take_in(path: Path, objects: Path, relative: str, modified_ns: int) -> StoredFile:
    # The digest is of the bytes that were stored: a log may be written to meanwhile.
    with tempfile.NamedTemporaryFile(dir=objects, prefix=".", delete=False) as draft:
        place = Path(draft.name)
    sha256 = _copy(path, place)
    size = place.stat().st_size
    target = _place(objects, sha256)
    target.parent.mkdir(exist_ok=True)
    place.replace(target)
    return StoredFile(relative, size, modified_ns, sha256)


def _copy(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()
