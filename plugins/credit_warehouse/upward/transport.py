"""Packages over SFTP: upload under a temporary name and rename; receipts lie in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import paramiko

from credit_warehouse.connections import Endpoint
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.sources.sftp import session

_RECEIPT_LIMIT = 256 << 20


class Inbox(Protocol):
    """The platform's side of the exchange."""

    def deliver(self, file: Path, name: str) -> None:
        """Put a file there; it appears under its name only when it is whole, and replaces one of that name."""

    def holds(self, name: str) -> bool:
        """Whether a file of that name lies there."""

    def receipt(self, package: str) -> bytes | None:
        """The receipt of a package, none while there is none."""


class SftpInbox:
    """Folders ``inbox`` and ``receipts`` of the connection (default ``/inbox``, ``/receipts``)."""

    def __init__(self, sftp: paramiko.SFTPClient, endpoint: Endpoint) -> None:
        self._sftp = sftp
        self._inbox = endpoint.extra.get("inbox", "/inbox")
        self._receipts = endpoint.extra.get("receipts", "/receipts")

    def deliver(self, file: Path, name: str) -> None:
        draft = f"{self._inbox}/.{name}.part"
        # put() compares the size on the other side with ours.
        self._sftp.put(str(file), draft)
        self._sftp.posix_rename(draft, f"{self._inbox}/{name}")

    def holds(self, name: str) -> bool:
        try:
            self._sftp.stat(f"{self._inbox}/{name}")
        except FileNotFoundError:
            return False
        return True

    def receipt(self, package: str) -> bytes | None:
        try:
            with self._sftp.open(f"{self._receipts}/{package}.receipt.json", "rb") as file:
                return file.read(_RECEIPT_LIMIT)
        except FileNotFoundError:
            return None


@contextmanager
def sftp_inbox(endpoint: Endpoint) -> Iterator[Inbox]:
    """The platform's inbox.

    Raises:
        SourceUnavailable: no connection, or it broke; worth another try later.
    """
    try:
        with session(endpoint) as sftp:
            yield SftpInbox(sftp, endpoint)
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise SourceUnavailable(f"上级平台的 SFTP 服务无法连接或中途断开：{error}") from error
