"""`$CREDIT_HOME/runtime.env`: generated secrets and ports, and every setting that follows from them.

Secrets are made once and kept. What follows from them is written anew at every start, so that a new version
or a moved clone needs no care. A variable of the real environment wins over the file; your own lines are kept.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from credit_warehouse.runtime import envfile
from credit_warehouse.runtime.embedded import EmbeddedPostgres
from credit_warehouse.runtime.ports import HOST, first_free
from credit_warehouse.settings import PROJECT_DIR

AIRFLOW_PORT = 8080
SUPERSET_PORT = 8088
# FAB, not SimpleAuthManager: measured on two cores it costs 1 s more in the first migration and 2 s at the API
# server's start, and brings hashed passwords, roles and the same login as on a server.
AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_OURS = ("CREDIT_", "AIRFLOW_", "DBT_")
ADMIN_URL = "CREDIT_POSTGRES_ADMIN_URL"
"""A superuser's URL of a server to use instead of the embedded one; our databases and their owners are made there."""


class EnvironmentMissing(RuntimeError):
    """Nothing was set up yet, or a needed setting is not given."""


@dataclass(frozen=True)
class Environment:
    """Settings of the running system, as the processes see them."""

    home: Path
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Raises EnvironmentMissing, with its name, when a setting is not given."""
        if name not in self.values:
            raise EnvironmentMissing(f"缺少设置 {name}。The setting {name} is not given.")
        return self.values[name]

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def airflow_url(self) -> str:
        return f"http://{HOST}:{self.values['CREDIT_AIRFLOW_PORT']}"

    @property
    def superset_url(self) -> str:
        return f"http://{HOST}:{self.values['CREDIT_SUPERSET_PORT']}"

    def for_process(self) -> dict[str, str]:
        """Variables of a process of ours: the caller's, completed by ours, and the project importable."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
        path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
        return {**inherited, **self.values, "PATH": path, "PYTHONPATH": str(PROJECT_DIR)}


def credit_home() -> Path:
    """Folder of everything that is not in git: databases, landed files, logs, secrets."""
    return Path(os.environ.get("CREDIT_HOME", PROJECT_DIR / "var")).resolve()


def uses_embedded_postgres(home: Path) -> bool:
    """Whether the warehouse's server is ours to start and stop, that is, no other was named from outside."""
    if ADMIN_URL in os.environ:
        return False
    given = os.environ.get("CREDIT_DATABASE_URL")
    if given is None:
        return True
    # A shell that sourced runtime.env names our own server.
    return (home / "postgres.json").exists() and f"@{HOST}:{EmbeddedPostgres(home).port}/" in given


def load(home: Path | None = None) -> Environment:
    """The environment of the last `up`. Raises EnvironmentMissing before the first."""
    home = home or credit_home()
    known = envfile.read(home / "runtime.env")
    if not known:
        raise EnvironmentMissing("尚未启动过，请先运行 make up。Nothing was set up yet: run `make up` first.")
    return Environment(home, _real_environment_wins(known))


def of_this_machine() -> Environment:
    """The environment of the last `up`; where `up` starts nothing (docker compose), the real one.

    Raises EnvironmentMissing when neither names a warehouse.
    """
    return given() if "CREDIT_DATABASE_URL" in os.environ else load()


def given() -> Environment:
    """What the last `up` wrote, if there was one, and the real environment; a service that is told little has little."""
    home = credit_home()
    return Environment(home, _real_environment_wins(envfile.read(home / "runtime.env")))


def prepare(home: Path | None = None, changes: Mapping[str, str] | None = None) -> Environment:
    """Make what is missing, write `runtime.env` and return it.

    `changes` are settings found out later: a new port, the departments' connections.
    """
    home = home or credit_home()
    home.mkdir(parents=True, exist_ok=True)
    file = home / "runtime.env"
    known = {**envfile.read(file), **(changes or {})}
    kept = {name: known.get(name) or make() for name, make in _MADE_ONCE.items()}
    effective = _real_environment_wins(kept)
    derived = {**_databases(home, effective), **_warehouse(home), **_airflow(home, effective), **_QUIET}
    own = {name: value for name, value in known.items() if name not in kept and name not in derived}
    envfile.write(
        file,
        [
            ("Made once. Keep CREDIT_PEPPER: without it every subject gets a new key.", kept),
            ("Written anew at every start; set a variable in the real environment to change it.", derived),
            ("The departments' connections, and lines of your own.", own),
        ],
    )
    return Environment(home, _real_environment_wins({**own, **derived, **kept}))


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


_MADE_ONCE: dict[str, Callable[[], str]] = {
    "CREDIT_PEPPER": lambda: secrets.token_urlsafe(32),
    "CREDIT_WAREHOUSE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "CREDIT_AIRFLOW_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "CREDIT_EXCHANGE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "CREDIT_SUPERSET_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "CREDIT_DASHBOARDS_SECRET": lambda: secrets.token_urlsafe(32),
    "CREDIT_SUPERSET_PORT": lambda: str(first_free(SUPERSET_PORT)),
    "CREDIT_AIRFLOW_USER": lambda: "admin",
    "CREDIT_AIRFLOW_PASSWORD": lambda: secrets.token_urlsafe(12),
    "CREDIT_AIRFLOW_PORT": lambda: str(first_free(AIRFLOW_PORT)),
    "AIRFLOW__CORE__FERNET_KEY": _fernet_key,
    "AIRFLOW__API__SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "AIRFLOW__API_AUTH__JWT_SECRET": lambda: secrets.token_urlsafe(64),
}

# Nothing we start reports to its makers.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
    "GX_ANALYTICS_ENABLED": "False",
}


def _databases(home: Path, kept: Mapping[str, str]) -> dict[str, str]:
    if ADMIN_URL in os.environ:
        warehouse, airflow, exchange, superset = _urls(partial(_on_server, os.environ[ADMIN_URL]), kept)
    elif uses_embedded_postgres(home):
        warehouse, airflow, exchange, superset = _urls(EmbeddedPostgres(home).url, kept)
    else:
        warehouse = os.environ["CREDIT_DATABASE_URL"]
        airflow = os.environ.get("CREDIT_AIRFLOW_DATABASE_URL", "")
        exchange = os.environ.get("CREDIT_EXCHANGE_ADMIN_URL", "")
        superset = os.environ.get("CREDIT_SUPERSET_DATABASE_URL", "")
        if not airflow:
            raise EnvironmentMissing(
                "CREDIT_DATABASE_URL is given, so CREDIT_AIRFLOW_DATABASE_URL must be given too: a database of its own "
                f"for Airflow's metadata. Or give only {ADMIN_URL}, a superuser's URL: the databases are made there"
            )
    return {
        "CREDIT_DATABASE_URL": warehouse,
        "CREDIT_AIRFLOW_DATABASE_URL": airflow,
        "CREDIT_EXCHANGE_ADMIN_URL": exchange,
        "CREDIT_SIMULATOR_EXCHANGE_URL": exchange,
        "CREDIT_SUPERSET_DATABASE_URL": superset,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow.replace("postgresql://", "postgresql+psycopg2://", 1),
    }


def _urls(url: Callable[[str, str, str], str], kept: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Warehouse, Airflow's metadata, exchange, Superset's metadata, on a server of which `url` knows the address."""
    return (
        url("credit", "warehouse", kept["CREDIT_WAREHOUSE_PASSWORD"]),
        url("airflow", "airflow", kept["CREDIT_AIRFLOW_DATABASE_PASSWORD"]),
        url("exchange", "exchange_owner", kept["CREDIT_EXCHANGE_PASSWORD"]),
        url("superset", "superset", kept["CREDIT_SUPERSET_DATABASE_PASSWORD"]),
    )


def _on_server(admin_url: str, database: str, user: str, password: str) -> str:
    parts = urlsplit(admin_url)
    return f"postgresql://{user}:{password}@{parts.hostname}:{parts.port or 5432}/{database}"


def _warehouse(home: Path) -> dict[str, str]:
    return {
        "CREDIT_HOME": str(home),
        # The demo plays past nights one by one; the wall clock must not start others.
        "CREDIT_NIGHTLY_SCHEDULE": "off",
        "CREDIT_PUBLICATION_DEADLINE": "off",
        "CREDIT_CLOCK": "nights",
        # A simulated department that is down stays down; a person is waiting for the night to end.
        "CREDIT_PULL_RETRIES": "2",
        "CREDIT_PULL_RETRY_SECONDS": "3",
    }


def _airflow(home: Path, kept: Mapping[str, str]) -> dict[str, str]:
    url = f"http://{HOST}:{kept['CREDIT_AIRFLOW_PORT']}"
    cores = os.cpu_count() or 2
    return {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": kept["CREDIT_AIRFLOW_PORT"],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_DIR / "dags"),
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(min(max(2 * cores, 4), 16)),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_DIR / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs" / "airflow"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # A chain of short tasks waits mostly for the scheduler's next look.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # After a scheduler was killed, its tasks are tried again within two minutes instead of five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
        # A finished task gives its slot back with its supervisor's next heartbeat; the default is five seconds.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # One process parses the few DAG files; they change only with a release.
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
    }


def _real_environment_wins(values: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    return {**values, **given}
