"""The provincial platform's SFTP server: packages are written to ``/inbox``, receipts read from ``/receipts``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from simulator.platform import INBOX, Platform
from simulator.servers.sftp import SftpServer


@dataclass
class PlatformServer(SftpServer):
    """An SFTP server that hands every file renamed to ``*.zip`` in the inbox to the platform."""

    platform: Platform | None = None

    def folder(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        assert self.platform is not None
        return _Inbox(channel, self.root, self.platform)


class _Inbox(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path, platform: Platform) -> None:
        super().__init__(channel, chroot=os.fsencode(root))
        self._root = root
        self._platform = platform

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().posix_rename(oldpath, newpath)
        name = Path(os.fsdecode(newpath)).name
        if name.endswith(".zip"):
            self._platform.take(self._root / INBOX / name)
