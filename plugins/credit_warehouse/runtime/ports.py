"""TCP ports of loopback: which are free, and one that stays ours until its server listens."""

from __future__ import annotations

import random
import socket
from collections import deque

HOST = "127.0.0.1"
# Below what Linux gives to outgoing connections: a port it hands out itself is often lent again before a server listens.
RANGE = range(20_000, 32_000)


class NoFreePort(RuntimeError):
    """Every port that was tried is taken; the message says which were."""


# Bound and never listening: whoever asks for a port meanwhile is not given it, and the server it is for can still have it.
_reserved: deque[socket.socket] = deque(maxlen=500)


def is_taken(port: int) -> bool:
    """Whether a program listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def first_free(preferred: int) -> int:
    """First port at or after `preferred` that no program listens on. Raises NoFreePort: none in 500."""
    for port in range(preferred, preferred + 500):
        if not is_taken(port):
            return port
    raise NoFreePort(f"no free port between {preferred} and {preferred + 499} on {HOST}")


def reserve() -> int:
    """A port that no other call, in whichever process, is given while this process lives or a server listens on it.

    Raises NoFreePort: none found in a hundred tries.
    """
    for port in random.SystemRandom().sample(RANGE, 100):
        probe = socket.socket()
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.close()
            continue
        # Set only now: it lets a server bind beside this socket, and would have let this socket bind beside another.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _reserved.append(probe)
        return port
    raise NoFreePort(f"no free port between {RANGE.start} and {RANGE.stop} on {HOST}")
