"""A wire between the office and a department that can be cut, slowed or made to end early."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from credit_warehouse.connections import Endpoint

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class WireFault:
    """Strikes the first ``times`` connections: ``drop`` resets them after ``after_bytes`` of what the department sends,
    ``truncate`` ends them there as if that were all, ``delay`` holds every block back for ``seconds``."""

    kind: Literal["drop", "truncate", "delay"]
    times: int
    after_bytes: int = 0
    seconds: float = 0.0


class Proxy:
    """Listens on a port of its own and passes everything on to a department, but for the fault it is given."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._target = (endpoint.host, endpoint.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._fault: WireFault | None = None
        self._left = 0
        self._lock = threading.Lock()
        self.struck = 0
        self.endpoint = replace(endpoint, host="127.0.0.1", port=self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def arm(self, fault: WireFault | None) -> None:
        """From the next connection on."""
        with self._lock:
            self._fault, self._left, self.struck = fault, fault.times if fault else 0, 0

    def close(self) -> None:
        with suppress(OSError):
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                fault = self._fault if self._left > 0 else None
                self._left -= 1
            threading.Thread(target=self._serve, args=(caller, fault), daemon=True).start()

    def _serve(self, caller: socket.socket, fault: WireFault | None) -> None:
        try:
            callee = socket.create_connection(self._target, timeout=10)
        except OSError:
            _cut(caller)
            return
        callee.settimeout(None)
        threading.Thread(target=_pass_on, args=(caller, callee), daemon=True).start()
        sent = 0
        with suppress(OSError):
            while block := callee.recv(1 << 14):
                if fault and fault.kind == "delay":
                    time.sleep(fault.seconds)
                    self.struck += 1
                elif fault and sent + len(block) > fault.after_bytes:
                    caller.sendall(block[: max(fault.after_bytes - sent, 0)])
                    self.struck += 1
                    if fault.kind == "drop":
                        _cut(caller)
                    break
                caller.sendall(block)
                sent += len(block)
        for end in (caller, callee):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(1 << 14):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def _cut(connection: socket.socket) -> None:
    """Reset instead of a goodbye."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
