"""SIGKILL, as the kernel gives it when memory runs out: no goodbye, nothing written, nothing closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def kill_task(pid: int) -> None:
    """The process alone; what it started lives on, as when Airflow's worker is shot."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_tree(pid: int) -> None:
    """The process and everything it started, as when a container ends."""
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        _kill([leader, *leader.children(recursive=True)])


def kill_database(data: Path) -> None:
    """The postmaster of this data folder and all of its children."""
    with suppress(OSError, ValueError, IndexError):
        kill_tree(int((data / "postmaster.pid").read_text().splitlines()[0]))


def _kill(processes: Iterable[psutil.Process]) -> None:
    found = list(processes)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=10)
