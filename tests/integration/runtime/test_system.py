"""The whole system, started and stopped by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from credit_warehouse.runtime import embedded, environment, ports
from credit_warehouse.runtime.airflow_services import NAMES
from credit_warehouse.runtime.environment import Environment
from credit_warehouse.runtime.processes import Supervisor

# Another system on this machine may take the defaults meanwhile.
AIRFLOW_PORT = str(ports.reserve())
PORTS = {"CREDIT_AIRFLOW_PORT": AIRFLOW_PORT, embedded.PORT: str(ports.reserve())}


def command_line(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`credit-warehouse …` on the system at `home`, stdin closed as under CI."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CREDIT_")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("credit-warehouse")), *words],
        env={**inherited, "CREDIT_HOME": str(home), **PORTS, "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("system")
    yield found
    cleaned = command_line(found, "clean")
    assert cleaned.returncode == 0, cleaned.stdout
    assert not found.exists()


@pytest.fixture(scope="module")
def running(home: Path) -> Environment:
    started = command_line(home, "up")
    assert started.returncode == 0, started.stdout
    loaded = environment.load(home)
    for secret in ("CREDIT_AIRFLOW_PASSWORD", "CREDIT_WAREHOUSE_PASSWORD"):
        assert loaded[secret] in started.stdout
    url = f"http://127.0.0.1:{AIRFLOW_PORT}"
    assert url in started.stdout
    return Environment(home, {**loaded.values, "CREDIT_AIRFLOW_PORT": AIRFLOW_PORT})


def test_airflow_asks_for_a_login(running: Environment) -> None:
    assert httpx.get(f"{running.airflow_url}/api/v2/dags").status_code == 401
    wrong = {"username": running["CREDIT_AIRFLOW_USER"], "password": "wrong"}
    assert httpx.post(f"{running.airflow_url}/auth/token", json=wrong, timeout=30).status_code == 401


def test_a_second_up_starts_nothing(running: Environment) -> None:
    supervisor = Supervisor(running.home)
    before = {name: supervisor.started_at(name) for name in (*NAMES, "simulator")}
    assert None not in before.values()
    again = command_line(running.home, "up")
    assert again.returncode == 0, again.stdout
    assert {name: supervisor.started_at(name) for name in before} == before


def test_the_warehouse_is_reached_by_psql(running: Environment) -> None:
    answered = command_line(
        running.home, "psql", "-At", "-c", "select count(*) > 0 from ops.feed where is_active"
    )
    assert answered.stdout.strip() == "t"


def test_secrets_are_not_on_any_command_line(running: Environment) -> None:
    secrets = [
        running["CREDIT_WAREHOUSE_PASSWORD"],
        running["CREDIT_PEPPER"],
        running["CREDIT_AIRFLOW_PASSWORD"],
    ]
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not any(secret in line for secret in secrets for line in lines)


def test_down_leaves_no_process_and_data_comes_back(running: Environment) -> None:
    with psycopg.connect(running["CREDIT_DATABASE_URL"]) as connection:
        connection.execute("create table public.kept as select 1 as number")
    stopped = command_line(running.home, "down")
    assert stopped.returncode == 0, stopped.stdout
    mine = f"CREDIT_HOME={running.home}"
    assert [process for process in psutil.process_iter() if mine in _variables(process)] == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running["CREDIT_DATABASE_URL"])

    assert command_line(running.home, "down").returncode == 0
    assert command_line(running.home, "up").returncode == 0
    with psycopg.connect(running["CREDIT_DATABASE_URL"]) as connection:
        assert connection.execute("select number from public.kept").fetchone() == (1,)


def _variables(process: psutil.Process) -> set[str]:
    try:
        return {f"{name}={value}" for name, value in process.environ().items()}
    except psutil.Error:
        return set()
