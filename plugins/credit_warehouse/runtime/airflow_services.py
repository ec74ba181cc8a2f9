"""Airflow's processes and how we know that they are ready."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

import httpx

from credit_warehouse.runtime.airflow_api import AirflowApi
from credit_warehouse.runtime.environment import Environment
from credit_warehouse.runtime.processes import Component, ProcessDied, Supervisor
from credit_warehouse.runtime.progress import wait_until
from credit_warehouse.settings import get_settings

API_SERVER, SCHEDULER, DAG_PROCESSOR = "airflow-api-server", "airflow-scheduler", "airflow-dag-processor"
# `airflow standalone` leaves children behind when it is stopped, so each part is ours to start.
# No triggerer: no operator defers.
NAMES = (SCHEDULER, DAG_PROCESSOR, API_SERVER)
START_SECONDS = 180
INTAKE, PUBLICATION = "intake_", "publication"


class DagsBroken(RuntimeError):
    """A DAG file does not import."""


def components() -> list[Component]:
    """In the order in which they are worth starting: the API server takes longest."""
    airflow = [sys.executable, "-m", "airflow"]
    return [
        Component(API_SERVER, [*airflow, "api-server"]),
        # The API server reads the task logs from disk; a log server would listen on every address.
        Component(SCHEDULER, [*airflow, "scheduler", "--skip-serve-logs"]),
        Component(DAG_PROCESSOR, [*airflow, "dag-processor"]),
    ]


def intake_dags() -> list[str]:
    """One DAG per source, a source being a folder of contracts."""
    sources = {file.parent.name for file in get_settings().contracts_dir.glob("*/*.yaml")}
    return [f"{INTAKE}{source}" for source in sorted(sources)]


def dag_ids() -> set[str]:
    """The DAGs a night needs before it may be triggered (dags/README.md)."""
    return {*intake_dags(), PUBLICATION, "publication_deadline", "housekeeping", "exchange", "bulletin"}


def metadata_is_current(environment: Environment) -> bool:
    """Whether this version's migration already ran on this database."""
    stamp = _metadata_stamp(environment)
    return stamp.exists() and stamp.read_text() == _metadata_version(environment)


def migrate_metadata(environment: Environment) -> None:
    """Create or upgrade Airflow's database and its administrator, and remember it.

    Raises ProcessDied with the end of the log.
    """
    environment.logs.mkdir(parents=True, exist_ok=True)
    log = environment.logs / "airflow-migrate.log"
    with log.open("wb") as output:
        done = run_metadata_migration(environment.for_process(), output)
    if done != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise ProcessDied(f"Airflow's database could not be prepared. End of {log}:\n{tail}")
    stamp = _metadata_stamp(environment)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(_metadata_version(environment))


def run_metadata_migration(variables: Mapping[str, str], output: IO[bytes] | None = None) -> int:
    """Run the migration in a process of its own; returns its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "credit_warehouse.runtime.airflow_metadata"],
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        check=False,
    ).returncode


def wait_until_serving(environment: Environment, supervisor: Supervisor) -> None:
    """Until the API answers and the scheduler and DAG processor of this start have given a sign of life.

    Raises ProcessDied as soon as one of them ends, TimeoutError after three minutes.
    """

    def ready() -> bool:
        if not supervisor.listens(API_SERVER, int(environment["AIRFLOW__API__PORT"])):
            return False
        try:
            # Tasks talk to the Execution API, which is only built on its first request.
            httpx.get(f"{environment.airflow_url}/execution/health", timeout=30, trust_env=False)
            health = httpx.get(
                f"{environment.airflow_url}/api/v2/monitor/health", timeout=5, trust_env=False
            ).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(
            _beats(health.get(part) or {}, f"latest_{part}_heartbeat", supervisor.started_at(name))
            for part, name in (("scheduler", SCHEDULER), ("dag_processor", DAG_PROCESSOR))
        )

    def alive() -> None:
        for name in NAMES:
            supervisor.require_running(name)

    wait_until(ready, "Airflow", timeout=START_SECONDS, alive=alive)


def wait_until_dags_loaded(api: AirflowApi, expected: set[str], supervisor: Supervisor) -> None:
    """Until every expected DAG is known and unpaused.

    Raises DagsBroken with the import errors of DAG files, TimeoutError after three minutes.
    """

    def ready() -> bool:
        errors = api.import_errors()
        if errors:
            raise DagsBroken("\n".join(f"{name}:\n{text}" for name, text in errors.items()))
        paused = api.dags()
        for dag_id in expected & paused.keys():
            if paused[dag_id]:
                api.unpause(dag_id)
        return expected <= paused.keys()

    def alive() -> None:
        supervisor.require_running(DAG_PROCESSOR)

    wait_until(ready, f"DAGs {', '.join(sorted(expected))}", timeout=START_SECONDS, alive=alive, every=0.5)


def _metadata_stamp(environment: Environment) -> Path:
    return environment.home / "airflow" / "migrated"


def _metadata_version(environment: Environment) -> str:
    """Changes with Airflow's version, the database, and the administrator's password."""
    parts = [
        version("apache-airflow-core"),
        version("apache-airflow-providers-fab"),
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"],
        environment["CREDIT_AIRFLOW_USER"],
        environment["CREDIT_AIRFLOW_PASSWORD"],
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _beats(part: dict[str, str], key: str, started: float | None) -> bool:
    """Whether its last heartbeat is of this start: an earlier one stays healthy for half a minute."""
    beat = part.get(key)
    if part.get("status") != "healthy" or not beat or started is None:
        return False
    return datetime.fromisoformat(beat).timestamp() >= started
