"""Opening what departments send without trusting it: zip archives and their receipts."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.troubles import raise_if_ours

_CHUNK = 1 << 20
_MAX_RATIO = 200
_MAX_MEMBERS = 1000
_MANIFEST_LIMIT = 1 << 20


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_archive(path: Path, limit_bytes: int) -> None:
    """Refuse an archive that is broken or would unpack to more than ``limit_bytes`` (a zip bomb).

    Works for XLSX too, which is a zip. Sizes declared in the directory are checked here; the reader below counts again.

    Raises:
        DeliveryRefused: ``broken_archive`` or ``archive_too_large``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise DeliveryRefused("broken_archive", "文件不完整或已损坏，无法打开，请重新生成并上传") from error
    unpacked = sum(member.file_size for member in members)
    packed = max(path.stat().st_size, 1)
    if (
        len(members) > _MAX_MEMBERS
        or unpacked > limit_bytes
        or unpacked > max(packed * _MAX_RATIO, 16 * _CHUNK)
    ):
        raise DeliveryRefused(
            "archive_too_large",
            f"压缩文件展开后约 {unpacked // _CHUNK} MB，超出允许范围（疑似压缩炸弹），请检查后拆分报送",
        )


def extract_csv(path: Path, feed: str, target: Path, limit_bytes: int) -> int:
    """Take the one CSV out of a zip drop, checked against the drop's ``manifest.json``. Returns the declared rows.

    Raises:
        DeliveryRefused: broken archive, manifest missing or unreadable, file missing, checksum wrong.
    """
    check_archive(path, limit_bytes)
    try:
        with zipfile.ZipFile(path) as archive:
            entry = _manifest_entry(archive, feed)
            with archive.open(entry.name) as member:
                digest = _copy(member, target, limit_bytes)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise_if_ours(error)
        raise DeliveryRefused("broken_archive", "压缩包不完整或已损坏，无法解开，请重新生成并上传") from error
    if digest != entry.sha256:
        raise DeliveryRefused(
            "checksum", f"文件 {entry.name} 的校验值与清单不符，可能传输有误，请重新上传", entry.rows
        )
    return entry.rows


@dataclass(frozen=True)
class _Entry:
    """The one file a manifest names."""

    name: str
    rows: int
    sha256: str


def _manifest_entry(archive: zipfile.ZipFile, feed: str) -> _Entry:
    names = archive.namelist()
    if "manifest.json" not in names:
        raise DeliveryRefused(
            "missing_manifest", "压缩包内缺少清单文件 manifest.json，无法核对，请补齐后重新上传"
        )
    try:
        with archive.open("manifest.json") as file:
            manifest = json.loads(file.read(_MANIFEST_LIMIT))
        (entry,) = manifest["files"]
        name, rows, digest = str(entry["name"]), int(entry["rows"]), str(entry["sha256"]).lower()
        declared_feed = str(manifest["feed"])
    except (ValueError, KeyError, TypeError) as error:
        raise DeliveryRefused(
            "bad_manifest", "清单文件 manifest.json 内容不完整，请按约定格式重新生成"
        ) from error
    if declared_feed != feed:
        raise DeliveryRefused(
            "bad_manifest", f"清单写明的数据集为 {declared_feed}，与本目录约定的 {feed} 不符", rows
        )
    if name not in names:
        raise DeliveryRefused("missing_file", f"清单列出的文件 {name} 不在压缩包内，请补齐后重新上传", rows)
    return _Entry(name, rows, digest)


def _copy(member: IO[bytes], target: Path, limit_bytes: int) -> str:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while chunk := member.read(_CHUNK):
            size += len(chunk)
            if size > limit_bytes:
                raise DeliveryRefused("archive_too_large", "压缩文件展开后超出允许范围（疑似压缩炸弹）")
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def check_sidecar(path: Path) -> None:
    """Compare a landed file with the ``.sha256`` landed beside it.

    Raises:
        DeliveryRefused: ``checksum`` when they differ.
    """
    declared = path.with_name(path.name + ".sha256").read_text(encoding="ascii", errors="replace").split()
    if not declared or declared[0].lower() != sha256_of(path):
        raise DeliveryRefused("checksum", "文件内容与校验文件（.sha256）不符，可能传输有误，请重新上传")
