"""What work costs: wall time, and CPU time of the database server, which other programs on the machine do not stretch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg


@dataclass(frozen=True)
class Cost:
    """``seconds``: wall time; ``database_seconds``: CPU time of all of the server's processes, user and system."""

    seconds: float
    database_seconds: float


def cost_of(url: str, work: Callable[[], object]) -> Cost:
    """Do the work and say what it cost. The server must run on this machine."""
    server = _server(url)
    cpu, started = _cpu_seconds(server), time.perf_counter()
    work()
    return Cost(time.perf_counter() - started, _cpu_seconds(server) - cpu)


def _server(url: str) -> psutil.Process:
    with psycopg.connect(url) as connection:
        ((folder,),) = connection.execute("show data_directory").fetchall()
    return psutil.Process(int((Path(folder) / "postmaster.pid").read_text().splitlines()[0]))


def _cpu_seconds(server: psutil.Process) -> float:
    """Of the sessions that have ended, and of those that have not."""
    times = server.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in server.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
