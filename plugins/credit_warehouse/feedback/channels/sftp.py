"""A folder of the night on the department's SFTP server; its system leaves ``<package>.receipt.json`` there."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path

import paramiko

from credit_warehouse.connections import Endpoint
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.feedback.address import Address
from credit_warehouse.feedback.channels.handover import FeedbackRefused, Handover
from credit_warehouse.feedback.package import Package
from credit_warehouse.intake.archive import sha256_of
from credit_warehouse.intake.sources.sftp import session

_RECEIPT_LIMIT = 65_536


def send(package: Package, address: Address, endpoint: Endpoint) -> Handover:
    """Files first, the manifest last, each under a temporary name until it is whole, its checksum beside it.

    Raises:
        SourceUnavailable: no connection, or it broke on the way.
        FeedbackRefused: the server lets nobody write there.
    """
    folder = address.path.replace("{yyyymmdd}", f"{package.heading.business_date:%Y%m%d}")
    try:
        with session(endpoint) as sftp:
            _make_folder(sftp, folder)
            for path in (*package.files, package.manifest):
                _put(sftp, path, folder)
            return Handover(folder, _receipt(sftp, folder, package.heading.package_no))
    except PermissionError as error:
        raise FeedbackRefused(f"SFTP 目录 {folder} 不允许写入：{error}") from error
    except (OSError, EOFError, paramiko.SSHException, ValueError) as error:
        raise SourceUnavailable(f"SFTP 服务无法连接或中途断开：{error}") from error


def _make_folder(sftp: paramiko.SFTPClient, folder: str) -> None:
    parent = posixpath.dirname(folder)
    if parent not in ("", "/"):
        _make_folder(sftp, parent)
    try:
        sftp.stat(folder)
    except FileNotFoundError:
        sftp.mkdir(folder)


def _put(sftp: paramiko.SFTPClient, path: Path, folder: str) -> None:
    remote, sidecar = f"{folder}/{path.name}", f"{path.name}.sha256"
    stated = f"{sha256_of(path)}  {path.name}\n".encode()
    if _read(sftp, f"{folder}/{sidecar}") == stated:
        return
    with path.open("rb") as file:
        sftp.putfo(file, f"{remote}.part", file_size=path.stat().st_size)
    sftp.posix_rename(f"{remote}.part", remote)
    with sftp.open(f"{remote}.sha256.part", "wb") as file:
        file.write(stated)
    sftp.posix_rename(f"{remote}.sha256.part", f"{remote}.sha256")


def _receipt(sftp: paramiko.SFTPClient, folder: str, package_no: str) -> str | None:
    found = _read(sftp, f"{folder}/{package_no}.receipt.json")
    return str(json.loads(found)["receipt_no"]) if found else None


def _read(sftp: paramiko.SFTPClient, path: str) -> bytes | None:
    try:
        with sftp.open(path, "rb") as file:
            return file.read(_RECEIPT_LIMIT)
    except FileNotFoundError:
        return None
