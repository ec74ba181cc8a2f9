"""The departments' systems of the demo: the simulator's process, its control port, the connections to it."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from credit_warehouse.runtime.environment import Environment
from credit_warehouse.runtime.processes import Component, Supervisor
from credit_warehouse.runtime.progress import wait_until

NAME = "simulator"
START_SECONDS = 180
# The demo city begins here, with every department's initial load.
FIRST_NIGHT = date(2026, 3, 2)
# Generating a night takes seconds in the demo city, minutes in a large one.
NIGHT_SECONDS = 900


def home_of(environment: Environment) -> Path:
    return environment.home / "simulator"


def start(environment: Environment, supervisor: Supervisor) -> None:
    """Start it unless it runs, and wait until its control port answers.

    It goes on to generate the first night while Airflow starts. Raises ProcessDied or TimeoutError.
    """
    home, through = str(home_of(environment)), FIRST_NIGHT.isoformat()
    command = [sys.executable, "-m", "simulator", "serve", "--home", home, "--through", through]
    supervisor.start(Component(NAME, command), environment.for_process())

    def ready() -> bool:
        try:
            return _control(environment).get("/health").is_success
        except (FileNotFoundError, httpx.HTTPError):
            return False

    wait_until(ready, NAME, timeout=START_SECONDS, alive=lambda: supervisor.require_running(NAME))


def advance(environment: Environment, business_date: date) -> Any:
    """Let the departments deliver everything up to the end of `business_date`; delivered nights stay as they are."""
    response = _control(environment).post("/advance", json={"date": business_date.isoformat()})
    response.raise_for_status()
    return response.json()


def connections(home: Path, exchange_url: str, host: str | None = None) -> dict[str, str]:
    """AIRFLOW_CONN_* of the five sources and the provincial platform (what hooks/sources.py reads) for the simulator at `home`.

    `host` is where its servers are reached from, when that is not the address they listen on.
    """
    config = _config(home)
    exchange = urlsplit(exchange_url)
    reader, tax = config["exchange"], config["tax"]
    address = host or config["host"]
    found: dict[str, dict[str, Any]] = {
        source: {
            "conn_type": "sftp",
            "host": address,
            "port": config[source]["port"],
            "login": config[source]["user"],
            "password": config[source]["password"],
            "extra": {"host_key": config[source]["host_key"]},
        }
        for source in ("court", "market_regulation", "data_administration", "province")
    }
    found["tax"] = {
        "conn_type": "http",
        "host": address,
        "port": tax["port"],
        "login": tax["client_id"],
        "password": tax["client_secret"],
        "extra": {"token_path": "/oauth/token"},
    }
    found["social_security"] = {
        "conn_type": "postgres",
        "host": exchange.hostname,
        "port": exchange.port or 5432,
        "login": reader["user"],
        "password": reader["password"],
        "schema": exchange.path.lstrip("/"),
    }
    return {
        f"AIRFLOW_CONN_{source.upper()}": json.dumps(fields, ensure_ascii=False)
        for source, fields in found.items()
    }


def _config(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "simulator.json").read_text(encoding="utf-8"))
    return found


def _control(environment: Environment) -> httpx.Client:
    config = _config(home_of(environment))
    return httpx.Client(
        base_url=f"http://{config['host']}:{config['control']['port']}",
        headers={"Authorization": f"Bearer {config['control']['token']}"},
        timeout=NIGHT_SECONDS,
        trust_env=False,
    )
