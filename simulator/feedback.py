"""What departments do with the feedback they get: check it, keep it, give a receipt number."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"FB-[a-z_]+-\d{8}-\d{2,}")
MANIFEST = ".manifest.json"


class Unacceptable(ValueError):
    """The package is not what its manifest says."""


def receipt_no(package_no: str, manifest: bytes) -> str:
    """The department's number for a package; the same for the same package."""
    return f"HZ{hashlib.sha256(package_no.encode() + manifest).hexdigest()[:16].upper()}"


def check(manifest: bytes, files: dict[str, bytes]) -> dict[str, Any]:
    """The manifest, read.

    Raises:
        Unacceptable: no manifest, or a file is missing or is not the one it names.
    """
    try:
        told: dict[str, Any] = json.loads(manifest)
        named = {entry["name"]: entry["sha256"] for entry in told["files"]}
        number = told["package_no"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unacceptable("清单无法识别") from error
    if not _NUMBER.fullmatch(str(number)):
        raise Unacceptable("反馈单号不符合规定")
    for name, digest in named.items():
        if name not in files or hashlib.sha256(files[name]).hexdigest() != digest:
            raise Unacceptable(f"文件 {name} 缺失或校验值不符")
    return told


def answer(manifest: bytes, told: dict[str, Any]) -> dict[str, Any]:
    """What the department's system says to a package it has taken (DOMAIN.md §5.3: totalSize, successSize, failSize, tips)."""
    return {
        "package_no": told["package_no"],
        "receipt_no": receipt_no(told["package_no"], manifest),
        "totalSize": told["rows"],
        "successSize": told["rows"],
        "failSize": 0,
        "tips": "已接收，转业务科室核对",
    }


def acknowledge(manifest: Path) -> None:
    """A folder's package is complete once its manifest is there: leave the receipt beside it, unless it is unacceptable."""
    content = manifest.read_bytes()
    files = {path.name: path.read_bytes() for path in manifest.parent.iterdir() if path != manifest}
    try:
        told = check(content, files)
    except Unacceptable:
        return
    beside = manifest.with_name(manifest.name.removesuffix(MANIFEST) + ".receipt.json")
    beside.write_text(json.dumps(answer(content, told), ensure_ascii=False), encoding="utf-8")


class Inbox:
    """The packages an API has taken, in a folder each."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def take(self, manifest: bytes, files: dict[str, bytes]) -> dict[str, Any]:
        """Keep the package and answer; one that is here already gets the same answer.

        Raises:
            Unacceptable: it is not what its manifest says, or another package of that number is here.
        """
        told = check(manifest, files)
        folder = self._root / told["package_no"]
        kept = folder / f"{told['package_no']}{MANIFEST}"
        if kept.exists() and kept.read_bytes() != manifest:
            raise Unacceptable(f"反馈单 {told['package_no']} 已接收，内容不同")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (entry["name"] for entry in told["files"]):
            (folder / Path(name).name).write_bytes(files[name])
        kept.write_bytes(manifest)
        return answer(manifest, told)
