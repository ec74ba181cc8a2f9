"""A department's SFTP server: one user, one folder, read only but for ``/feedback``, where what comes back is acknowledged."""

from __future__ import annotations

import hmac
import os
import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from simulator import feedback
from simulator.faults import FaultKind
from simulator.servers.board import FaultBoard


@dataclass
class SftpServer:
    """One SFTP server on 127.0.0.1 (or ``host``).

    ``root`` is all a client sees. ``stop`` refuses new connections and cuts the open ones; ``start`` may follow it.
    """

    source: str
    root: Path
    host: str
    port: int
    user: str
    password: str
    host_key: Path
    board: FaultBoard
    _listener: asyncssh.SSHAcceptor | None = None
    _connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)

    async def start(self) -> None:
        """Listen. Does nothing if it listens already."""
        if self._listener is not None:
            return
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._listener = await asyncssh.listen(
            self.host,
            self.port,
            server_host_keys=[str(self.host_key)],
            server_factory=lambda: _Door(self),
            sftp_factory=self.folder,
            allow_scp=False,
            reuse_address=True,
        )
        self.port = self._listener.get_port()

    def folder(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        """What a session sees and may do."""
        return _Folder(channel, self)

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._listener is None:
            return
        self._listener.close()
        await self._listener.wait_closed()
        self._listener = None
        for connection in list(self._connections):
            connection.abort()


def ensure_host_key(path: Path) -> str:
    """Make the server's key unless it exists; returns its public half in OpenSSH form, without a comment."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = asyncssh.generate_private_key("ssh-ed25519")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.export_private_key())
    return asyncssh.read_private_key(str(path)).export_public_key().decode().strip()


class _Door(asyncssh.SSHServer):
    """Lets the one user in by password."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == self._server.user and hmac.compare_digest(
            password.encode(), self._server.password.encode()
        )


class _Folder(asyncssh.SFTPServer):
    """The folder; whatever would change it outside ``/feedback`` is refused."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], server: SftpServer) -> None:
        super().__init__(channel, chroot=os.fsencode(server.root))
        self._server = server
        self._channel_of = channel
        self._feeds: dict[int, str] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        if pflags & ~asyncssh.FXF_READ:
            self._require_feedback(path)
        opened = super().open(path, pflags, attrs)
        self._feeds[id(opened)] = os.fsdecode(os.path.basename(path)).rsplit("_", 1)[0]
        return opened

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        raise asyncssh.SFTPOpUnsupported("SFTP versions 5 and 6 are not offered")

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        feed = self._feeds.get(id(file_obj), self._server.source)
        past_the_middle = (offset + size) * 2 > os.fstat(file_obj.fileno()).st_size
        if self._server.board.strikes(FaultKind.DROP_CONNECTION, feed, only_if=past_the_middle):
            self._channel_of.get_connection().abort()
            raise asyncssh.SFTPConnectionLost("armed fault: connection dropped mid-file")
        return super().read(file_obj, offset, size)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> Any:
        self._require_feedback(path)
        super().mkdir(path, attrs)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._require_feedback(oldpath)
        self._require_feedback(newpath)
        super().posix_rename(oldpath, newpath)
        target = Path(os.fsdecode(self.map_path(newpath)))
        if target.name.endswith(feedback.MANIFEST):
            feedback.acknowledge(target)

    def _require_feedback(self, path: bytes) -> None:
        """``write`` needs no check of its own: only files of this folder can be opened for it."""
        parts = posixpath.normpath(posixpath.join("/", os.fsdecode(path))).split("/")
        if parts[1] != "feedback" or self._server.board.refuses_feedback(self._server.source):
            raise _read_only()


def _read_only() -> asyncssh.SFTPPermissionDenied:
    return asyncssh.SFTPPermissionDenied("本目录只读")


def _refuse(self: _Folder, *_: Any, **__: Any) -> Any:
    raise _read_only()


for _name in (
    "lsetstat",
    "setstat",
    "fsetstat",
    "remove",
    "rmdir",
    "rename",
    "symlink",
    "link",
    "lock",
    "unlock",
):
    setattr(_Folder, _name, _refuse)
