"""Our long-running processes: each in a session of its own, with a pid file and a log file."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


class ProcessDied(RuntimeError):
    """A process ended while it was expected to run; the message carries the end of its log."""


@dataclass(frozen=True)
class Component:
    """A process to start; `name` names its pid file and its log."""

    name: str
    command: Sequence[str]


class Supervisor:
    """Starts and stops components; what it started is remembered in `home/run/<name>.json`."""

    def __init__(self, home: Path) -> None:
        self._run = home / "run"
        self._logs = home / "logs"

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def is_running(self, name: str) -> bool:
        return self._leader(name) is not None

    def started_at(self, name: str) -> float | None:
        """When the running component was started, in seconds since 1970; None when it does not run."""
        leader = self._leader(name)
        return leader.create_time() if leader else None

    def start(self, component: Component, environment: Mapping[str, str]) -> bool:
        """Start it unless it runs already; returns whether it was started."""
        if self.is_running(component.name):
            return False
        self.stop([component.name])  # children that outlived their parent would hold its port
        self._run.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log_file(component.name).open("ab") as log:
            process = subprocess.Popen(
                component.command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        born = psutil.Process(process.pid).create_time()
        self._pid_file(component.name).write_text(json.dumps({"pid": process.pid, "started": born}))
        return True

    def listens(self, name: str, port: int) -> bool:
        """Whether the component itself, and no other program, listens on this port."""
        leader = self._leader(name)
        if leader is None:
            return False
        try:
            return any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
                for connection in leader.net_connections("tcp")
            )
        except psutil.Error:
            return False

    def require_running(self, name: str) -> None:
        """Raises ProcessDied when the component does not run."""
        if not self.is_running(name):
            raise ProcessDied(f"{name} ended unexpectedly. End of {self.log_file(name)}:\n{self._tail(name)}")

    def stop(self, names: Sequence[str], grace: float = 20.0) -> list[str]:
        """End the components together: SIGTERM, after `grace` seconds SIGKILL. Returns those that ran."""
        families = {name: self._family(name) for name in names}
        leaders = [leader for name in names if (leader := self._leader(name))]
        everyone = [process for family in families.values() for process in family]
        # Leaders first: they end their own children in order, and a killed child would be an error to them.
        _signal(leaders, signal.SIGTERM)
        _, alive = psutil.wait_procs(leaders, timeout=grace)
        _signal([process for process in everyone if process not in leaders], signal.SIGTERM)
        _, alive = psutil.wait_procs(everyone, timeout=3.0)
        _signal(alive, signal.SIGKILL)
        psutil.wait_procs(alive, timeout=10.0)
        for name in names:
            _signal(self._family(name), signal.SIGKILL)  # born while we waited
            self._pid_file(name).unlink(missing_ok=True)
        return [name for name, family in families.items() if family]

    def _pid_file(self, name: str) -> Path:
        return self._run / f"{name}.json"

    def _record(self, name: str) -> tuple[int, float] | None:
        try:
            record = json.loads(self._pid_file(name).read_text())
            return int(record["pid"]), float(record["started"])
        except (OSError, ValueError, KeyError):
            return None

    def _leader(self, name: str) -> psutil.Process | None:
        """The component's process; None when it is gone or another program has its number by now."""
        record = self._record(name)
        process = _born(*record) if record else None
        try:
            return process if process and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def _family(self, name: str) -> list[psutil.Process]:
        """The component's process, its descendants, and whatever else is in its session.

        Airflow gives every task a process group of its own, so the group is not enough. A number is not given
        again while a member of its session lives, so with the leader gone the session is still ours.
        """
        record = self._record(name)
        if record is None:
            return []
        pid, _ = record
        leader = _born(*record)
        if leader is None and psutil.pid_exists(pid):
            return []  # another program has the number, and its session
        found: dict[int, psutil.Process] = {}
        if leader is not None:
            with suppress(psutil.NoSuchProcess):
                found = {process.pid: process for process in [leader, *leader.children(recursive=True)]}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == pid:
                    found.setdefault(process.pid, process)
            except (OSError, psutil.Error):
                continue
        return list(found.values())

    def _tail(self, name: str, lines: int = 25) -> str:
        try:
            return "\n".join(self.log_file(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _born(pid: int, started: float) -> psutil.Process | None:
    """The process with this number that was born then, if it is still there."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - started) < 1.0 else None
    except psutil.Error:
        return None


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
