"""Starting and stopping: nothing is started twice, nothing of others is killed, no child is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from credit_warehouse.runtime.processes import Component, ProcessDied, Supervisor
from credit_warehouse.runtime.progress import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A parent with a child in a process group of its own, as Airflow's tasks are; it prints the child's pid.
PARENT = [
    sys.executable, "-c",
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], process_group=0)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)",
]  # fmt: skip
DEAF = [
    sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]  # fmt: skip


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(tmp_path)
    yield found
    found.stop(["one", "two"], grace=1.0)


def said(supervisor: Supervisor, name: str) -> str:
    log = supervisor.log_file(name)
    wait_until(lambda: log.exists() and log.read_text() != "", name, timeout=20, alive=lambda: None)
    return log.read_text().strip()


def test_a_running_component_is_not_started_again(supervisor: Supervisor) -> None:
    assert supervisor.start(Component("one", SLEEP), os.environ)
    started = supervisor.started_at("one")
    assert not supervisor.start(Component("one", SLEEP), os.environ)
    assert supervisor.started_at("one") == started
    supervisor.require_running("one")


def test_stop_leaves_no_child_behind(supervisor: Supervisor) -> None:
    supervisor.start(Component("one", PARENT), os.environ)
    child = psutil.Process(int(said(supervisor, "one")))
    assert supervisor.stop(["one"]) == ["one"]
    assert not supervisor.is_running("one")
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_children_that_outlived_their_parent_are_found(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Component("one", PARENT), os.environ)
    child = psutil.Process(int(said(supervisor, "one")))
    leader = psutil.Process(json.loads((tmp_path / "run" / "one.json").read_text())["pid"])
    leader.kill()
    leader.wait(10)
    assert not supervisor.is_running("one")
    assert supervisor.stop(["one"]) == ["one"]
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_one_that_ignores_sigterm_is_killed(supervisor: Supervisor) -> None:
    supervisor.start(Component("one", DEAF), os.environ)
    assert said(supervisor, "one") == "deaf"
    assert supervisor.stop(["one"], grace=0.2) == ["one"]
    assert not supervisor.is_running("one")


def test_a_recycled_number_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        born = psutil.Process(stranger.pid).create_time()
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "one.json").write_text(json.dumps({"pid": stranger.pid, "started": born - 3600}))
        assert not supervisor.is_running("one")
        supervisor.start(Component("one", SLEEP), os.environ)
        supervisor.stop(["one"])
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_one_that_died_is_reported_with_its_log(supervisor: Supervisor) -> None:
    failing = [sys.executable, "-c", "print('why it failed'); raise SystemExit(3)"]
    supervisor.start(Component("one", failing), os.environ)
    with pytest.raises(ProcessDied, match="why it failed"):
        wait_until(
            lambda: False, "one", timeout=20, alive=lambda: supervisor.require_running("one"), every=0.05
        )


def test_nothing_runs_yet(supervisor: Supervisor) -> None:
    assert supervisor.stop(["one", "two"]) == []
    assert supervisor.started_at("one") is None


def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError, match="the moon: not ready after 0 s"):
        wait_until(lambda: False, "the moon", timeout=0.05, alive=lambda: None, every=0.01)
