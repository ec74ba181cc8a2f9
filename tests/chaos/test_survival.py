"""SIGKILL through the real scheduler: a task, the scheduler, the database; `nightly` again is all that is ever needed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date

import psutil
import psycopg
import pytest

from credit_warehouse.runtime.airflow_services import SCHEDULER
from credit_warehouse.runtime.embedded import EmbeddedPostgres
from credit_warehouse.transform.run import DBT
from tests.chaos import killing
from tests.e2e.system import System

TASK_KILLED, SCHEDULER_KILLED, DATABASE_KILLED = (date(2026, 3, day) for day in (3, 4, 5))
SECONDS = 600


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    found = System(tmp_path_factory.mktemp("survival"))
    found.ok("demo")
    yield found
    found.ok("clean")


def test_a_killed_task_is_tried_again_by_itself(system: System) -> None:
    night = _night_until(system, TASK_KILLED, "build_core", lambda: _dbt(system) is not None)
    dbt = _dbt(system)
    assert dbt is not None
    task = dbt.parent()
    assert task is not None
    killing.kill_task(task.pid)
    psutil.wait_procs([dbt], timeout=10)
    assert not dbt.is_running() or dbt.status() == psutil.STATUS_ZOMBIE, "dbt ends with its task"
    assert night.wait(timeout=SECONDS) == 0, night.communicate()[0]
    _whole(system, TASK_KILLED)


def test_after_a_killed_scheduler_the_same_night_again_completes_it(system: System) -> None:
    night = _night_until(system, SCHEDULER_KILLED, "load")
    killing.kill_tree(json.loads((system.home / "run" / f"{SCHEDULER}.json").read_text())["pid"])
    assert night.wait(timeout=SECONDS) != 0
    assert SCHEDULER in night.communicate()[0], "it says what ended, and where its log is"
    system.ok("nightly", SCHEDULER_KILLED.isoformat())
    _whole(system, SCHEDULER_KILLED)


def test_after_a_killed_database_the_same_night_again_completes_it(system: System) -> None:
    before = system.current()
    night = _night_until(system, DATABASE_KILLED, "build_core")
    killing.kill_database(EmbeddedPostgres(system.home).data)
    night.wait(timeout=SECONDS)
    system.ok("up")
    assert system.current()[0] >= before[0], "readers keep the last publication until the next is whole"
    system.ok("nightly", DATABASE_KILLED.isoformat())
    _whole(system, DATABASE_KILLED)


def test_after_all_that_a_full_rebuild_gives_the_same_marts(system: System) -> None:
    survived = system.marts()
    system.ok("publish", "--date", DATABASE_KILLED.isoformat(), "--full-refresh")
    rebuilt = system.marts()
    assert {mart for mart in rebuilt if rebuilt[mart] != survived[mart]} <= {"exchange_status"}


def _night_until(
    system: System, night: date, step: str, also: Callable[[], bool] = lambda: True
) -> subprocess.Popen[str]:
    """Begin the night and wait until the step is at work."""
    begun = system.begin("nightly", night.isoformat())
    deadline = time.monotonic() + SECONDS
    query = "select count(*) from ops.outcome where business_date = %s and step = %s and state = 'running'"
    while time.monotonic() < deadline:
        assert begun.poll() is None, begun.communicate()[0]
        try:
            ((at_work,),) = system.rows(query, night, step)
        except (psycopg.OperationalError, KeyError):
            at_work = 0
        if at_work and also():
            return begun
        time.sleep(0.05)
    raise TimeoutError(f"{step} of {night} never began")


def _dbt(system: System) -> psutil.Process | None:
    """The dbt process of this system: it writes below its home."""
    for process in psutil.process_iter():
        try:
            is_dbt = DBT[-1] in process.cmdline()
            if is_dbt and process.environ().get("CREDIT_HOME") == str(system.home):
                return process
        except psutil.Error:
            continue
    return None


def _whole(system: System, night: date) -> None:
    assert system.current()[1] == night
    assert system.ledger(night) == system.promised(night)
    system.assert_core_is_the_truth_of(night)
