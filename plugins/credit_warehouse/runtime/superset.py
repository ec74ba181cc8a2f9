"""Superset: prepared from ``dashboards/``, and started, in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import httpx

from credit_warehouse import readers
from credit_warehouse.cities import load_city
from credit_warehouse.dashboards import assets, people, source
from credit_warehouse.dashboards.people import Person
from credit_warehouse.runtime.environment import Environment, EnvironmentMissing
from credit_warehouse.runtime.ports import HOST
from credit_warehouse.runtime.processes import Component, ProcessDied, Supervisor
from credit_warehouse.runtime.progress import wait_until
from credit_warehouse.settings import PROJECT_DIR

NAME = "superset"
START_SECONDS = 180
_FOLDER = PROJECT_DIR / "dashboards" / "superset"


def python() -> Path:
    """Superset's interpreter.

    Raises:
        EnvironmentMissing: Superset is not installed.
    """
    found = Path(
        os.environ.get("CREDIT_DASHBOARDS_PYTHON", PROJECT_DIR / ".venv-dashboards" / "bin" / "python")
    )
    if not found.exists():
        raise EnvironmentMissing(
            f"Superset 未安装（{found}），请运行 make dashboards。Superset is not installed: run `make dashboards`."
        )
    return found


def everybody() -> list[Person]:
    """Who gets a user: the city's departments, and those above them."""
    return people.people(load_city().departments.items())


def passwords(environment: Environment) -> list[tuple[Person, str]]:
    """Everybody's first password."""
    secret = environment["CREDIT_DASHBOARDS_SECRET"]
    return [(person, people.first_password(secret, person.name)) for person in everybody()]


def ensure_logins(environment: Environment) -> None:
    """The logins Superset reads the warehouse with: one per role, no more than the role may."""
    secret = environment["CREDIT_DASHBOARDS_SECRET"]
    for person in everybody():
        role = readers.Role(person.reads_as)
        readers.add(person.login, role, person.department, people.login_password(secret, person.login))


def load(environment: Environment) -> bool:
    """Bring Superset's metadata, roles, users and dashboards to what is written. False = they already were.

    Raises:
        ProcessDied: with the end of the log.
        EnvironmentMissing: Superset is not installed, or has no database.
    """
    if not environment.values.get("CREDIT_SUPERSET_DATABASE_URL"):
        raise EnvironmentMissing(
            "CREDIT_DATABASE_URL is given, so CREDIT_SUPERSET_DATABASE_URL must be given too: a database of its own for "
            "Superset's metadata (看板需要自己的数据库)"
        )
    plan = json.dumps(_plan(environment), ensure_ascii=False)
    stamp = environment.home / "superset" / "loaded"
    version = hashlib.sha256(
        "\n".join([plan, environment["CREDIT_SUPERSET_DATABASE_URL"], _lock()]).encode()
    ).hexdigest()
    if stamp.exists() and stamp.read_text() == version:
        return False
    stamp.parent.mkdir(parents=True, exist_ok=True)
    environment.logs.mkdir(parents=True, exist_ok=True)
    file, log = stamp.with_name("plan.json"), environment.logs / "superset-load.log"
    file.touch(mode=0o600)
    file.write_text(plan, encoding="utf-8")
    with log.open("wb") as output:
        done = subprocess.run(
            [str(python()), str(_FOLDER / "load.py"), str(file)],
            env=variables(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    file.unlink()
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise ProcessDied(f"the dashboards could not be loaded. End of {log}:\n{tail}")
    stamp.write_text(version)
    return True


def component(environment: Environment, host: str = HOST) -> Component:
    """The web server."""
    address = f"{host}:{environment['CREDIT_SUPERSET_PORT']}"
    # Threads, because a page asks for a dozen charts at once and each waits for the database.
    return Component(
        NAME,
        [
            str(python()), "-m", "gunicorn", "--bind", address, "--workers", "2", "--worker-class", "gthread",
            "--threads", "8", "--timeout", "120", "--no-control-socket", "superset.app:create_app()",
        ],
    )  # fmt: skip


def serve(environment: Environment, host: str) -> NoReturn:
    """Become the web server, in the foreground."""
    command = list(component(environment, host).command)
    os.execve(command[0], command, variables(environment))


def wait_until_serving(environment: Environment, supervisor: Supervisor) -> None:
    """Until the sign-in page is served.

    Raises:
        ProcessDied: it ended meanwhile.
        TimeoutError: after three minutes.
    """

    def ready() -> bool:
        if not supervisor.listens(NAME, int(environment["CREDIT_SUPERSET_PORT"])):
            return False
        try:
            return httpx.get(f"{environment.superset_url}/login/", timeout=30, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    wait_until(ready, "Superset", timeout=START_SECONDS, alive=lambda: supervisor.require_running(NAME))


def variables(environment: Environment) -> dict[str, str]:
    """The environment of Superset's processes: nothing of ours but what they need, so not the loading role's password."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TZ") if name in os.environ}
    return {
        **kept,
        "PATH": f"{python().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(PROJECT_DIR / "plugins"),
        "SUPERSET_CONFIG_PATH": str(_FOLDER / "superset_config.py"),
        "SUPERSET_HOME": str(environment.home / "superset"),
        "CREDIT_SUPERSET_DATABASE_URL": environment["CREDIT_SUPERSET_DATABASE_URL"],
        "CREDIT_DASHBOARDS_SECRET": environment["CREDIT_DASHBOARDS_SECRET"],
    }


def _plan(environment: Environment) -> Mapping[str, object]:
    written = source.load()
    warehouse = urlsplit(environment["CREDIT_DATABASE_URL"])
    address = f"postgresql+psycopg2://{warehouse.hostname}:{warehouse.port or 5432}{warehouse.path}"
    everyone = passwords(environment)
    return {
        "people": [
            {"name": person.name, "role": person.role, "label": person.label, "password": password}
            for person, password in everyone
        ],
        "reads": {
            person.role: _datasets(written, person) for person, _ in everyone if person.name != people.ADMIN
        },
        "opens": {
            assets.identifier("dashboard", slug): [
                person.role for person, _ in everyone if person.reads_as in page.readers
            ]
            for slug, page in written.dashboards.items()
        },
        "sql_lab": ["Analyst"],
        "files": assets.bundle(written, address, environment.values.get("AIRFLOW__API__BASE_URL", "")),
    }


def _datasets(written: source.Source, person: Person) -> list[str]:
    """The datasets behind the pages somebody may see."""
    pages = [page for page in written.dashboards.values() if person.reads_as in page.readers]
    used = {chart.dataset for page in pages for chart in page.charts.values()}
    used |= {written.filters[name].dataset for page in pages for name in page.filters}
    return [assets.identifier("dataset", name) for name in sorted(used)]


def _lock() -> str:
    return (PROJECT_DIR / "requirements" / "dashboards.txt").read_text()
