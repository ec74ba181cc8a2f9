"""What `make up`, `down`, `demo`, `nightly`, `psql` and `clean` do. Each can be run twice."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from credit_warehouse import settings
from credit_warehouse.runtime import airflow_services, databases, environment, simulator_service, superset
from credit_warehouse.runtime.airflow_api import AirflowApi
from credit_warehouse.runtime.embedded import EmbeddedPostgres, psql_path
from credit_warehouse.runtime.environment import Environment
from credit_warehouse.runtime.ports import is_taken
from credit_warehouse.runtime.processes import ProcessDied, Supervisor
from credit_warehouse.runtime.progress import Progress

_AIRFLOW_PORT = "CREDIT_AIRFLOW_PORT"
_SUPERSET_PORT = "CREDIT_SUPERSET_PORT"
_COMPONENTS = (*airflow_services.NAMES, simulator_service.NAME)
_EVERYTHING = (*_COMPONENTS, superset.NAME)


def up(console: Console) -> Environment:
    """Start what does not run yet and wait until all of it is ready."""
    progress = Progress(console)
    home = environment.credit_home()
    supervisor = Supervisor(home)
    running = _prepare_environment(home, supervisor)
    with progress.step("PostgreSQL"):
        _start_database(running)
    # Independent of each other, and each mostly another process's work.
    _together(
        lambda: _migrate_warehouse(progress),
        lambda: _migrate_airflow(running, progress),
        lambda: _start_simulator(running, supervisor, progress),
    )
    running = environment.prepare(home, _connections(running))
    with progress.step("Airflow (API server, scheduler, DAG processor)"):
        for component in airflow_services.components():
            supervisor.start(component, running.for_process())
        airflow_services.wait_until_serving(running, supervisor)
    with progress.step("DAGs"), api_of(running) as api:
        airflow_services.wait_until_dags_loaded(api, airflow_services.dag_ids(), supervisor)
    return running


def dashboards(console: Console) -> Environment:
    """Load the dashboards and serve them, beside whatever else runs; starts the database when it does not run."""
    superset.python()  # says at once that it is not installed
    progress = Progress(console)
    home = environment.credit_home()
    supervisor = Supervisor(home)
    running = _prepare_environment(home, supervisor)
    if not supervisor.is_running(superset.NAME) and is_taken(int(running[_SUPERSET_PORT])):
        running = environment.prepare(home, {_SUPERSET_PORT: ""})
    with progress.step("PostgreSQL"):
        _start_database(running)
    _migrate_warehouse(progress)
    _load_dashboards(running, progress)
    with progress.step("Superset"):
        supervisor.start(superset.component(running), superset.variables(running))
        superset.wait_until_serving(running, supervisor)
    return running


def load_dashboards(console: Console) -> Environment:
    """Bring Superset's metadata, logins, users and pages to this version, once, before it serves (docker compose)."""
    running = environment.of_this_machine()
    _load_dashboards(running, Progress(console))
    return running


def serve_dashboards(host: str) -> NoReturn:
    """Become Superset's web server. It is told its own database and the dashboards' secret, not the warehouse's owner."""
    superset.serve(environment.given(), host)


def down(console: Console) -> None:
    """Stop everything that `up` started; data stays."""
    progress = Progress(console)
    home = environment.credit_home()
    with progress.step("stopping Airflow, the dashboards and the department systems"):
        stopped = Supervisor(home).stop(_EVERYTHING)
    if _has_own_postgres(home):
        with progress.step("stopping PostgreSQL"):
            EmbeddedPostgres(home).stop()
    progress.say(f"stopped: {', '.join(stopped) or 'nothing was running'}. Data stays in {home}.")


def clean(console: Console) -> None:
    """Stop everything and remove every database, landed file, log and secret."""
    home = environment.credit_home()
    if not (home / "runtime.env").exists() and not _has_own_postgres(home):
        console.print(f"nothing to clean: {home} holds no system of ours")
        return
    down(console)
    with Progress(console).step(f"removing {home}"):
        if _has_own_postgres(home):
            EmbeddedPostgres(home).destroy()
        shutil.rmtree(home)


def psql(arguments: Sequence[str]) -> None:
    """Become psql on the warehouse. Does not return."""
    url = environment.load()["CREDIT_DATABASE_URL"]
    program = str(psql_path())
    # By variables, not by URL: a command line can be read by everybody on the machine.
    os.execve(program, [program, *arguments], {**os.environ, **_libpq_variables(url)})


def status(console: Console) -> None:
    """Show which parts run, and where."""
    running = environment.load()
    supervisor = Supervisor(running.home)
    table = Table(title="credit-warehouse", title_justify="left")
    table.add_column("part")
    table.add_column("state")
    table.add_column("log", overflow="fold")
    if _has_own_postgres(running.home):
        server = EmbeddedPostgres(running.home)
        table.add_row("PostgreSQL", _state(server.is_running()), str(server.log_file))
    for name in _EVERYTHING:
        table.add_row(name, _state(supervisor.is_running(name)), str(supervisor.log_file(name)))
    console.print(table)


def prepare_databases(console: Console) -> None:
    """Bring every database to this version, once, before the services of a server start (docker compose).

    With CREDIT_POSTGRES_ADMIN_URL (a superuser's) the databases and their owners are made first.
    """
    progress = Progress(console)
    values = dict(os.environ)
    admin_url = values.get(environment.ADMIN_URL)
    if admin_url:
        with progress.step("databases and their owners"):
            databases.ensure(admin_url, databases.ours(values))
    with progress.step("warehouse migrations"):
        _apply_migrations()
    with progress.step("Airflow metadata and administrator"):
        if airflow_services.run_metadata_migration(values) != 0:
            raise ProcessDied("Airflow's database could not be prepared: see above")


def show_addresses(console: Console, running: Environment) -> None:
    """Where a person finds what, with the generated passwords; plain lines, so that they can be copied."""
    warehouse = urlsplit(running["CREDIT_DATABASE_URL"])
    lines = [
        ("Airflow", running.airflow_url),
        ("  user / password", f"{running['CREDIT_AIRFLOW_USER']} / {running['CREDIT_AIRFLOW_PASSWORD']}"),
        ("warehouse", f"{warehouse.hostname}:{warehouse.port}, database {warehouse.path.lstrip('/')}"),
        ("  user / password", f"{warehouse.username} / {warehouse.password}"),
        ("data docs", str(running.home / "data_docs")),
        ("logs", str(running.logs)),
        ("every setting", str(running.home / "runtime.env")),
    ]
    for name, value in lines:
        console.print(f"[bold]{name:<18}[/] {escape(value)}", highlight=False, soft_wrap=True)


def show_dashboards(console: Console, running: Environment) -> None:
    """Where the dashboards are, and everybody's first password there."""
    console.print(f"[bold]{'dashboards':<18}[/] {running.superset_url}", highlight=False)
    show_first_passwords(console, running)


def show_first_passwords(console: Console, running: Environment) -> None:
    """Everybody's first password in the dashboards."""
    for person, password in superset.passwords(running):
        line = f"  {person.name:<16} {password}  {person.label}"
        console.print(escape(line), highlight=False, soft_wrap=True)


def api_of(running: Environment) -> AirflowApi:
    return AirflowApi(running.airflow_url, running["CREDIT_AIRFLOW_USER"], running["CREDIT_AIRFLOW_PASSWORD"])


def require_all_running(supervisor: Supervisor) -> None:
    """Raises ProcessDied when a process of ours has ended."""
    for name in _COMPONENTS:
        supervisor.require_running(name)


def _prepare_environment(home: Path, supervisor: Supervisor) -> Environment:
    if environment.uses_embedded_postgres(home):
        server = EmbeddedPostgres(home)
        if server.avoid_taken_port() or not server.is_running():
            # They still look for the server at its old port, or are about to end because it went away under them.
            supervisor.stop(_EVERYTHING)
    prepared = environment.prepare(home)
    api_server_runs = supervisor.is_running(airflow_services.API_SERVER)
    if not api_server_runs and is_taken(int(prepared[_AIRFLOW_PORT])):
        supervisor.stop(airflow_services.NAMES)
        prepared = environment.prepare(home, {_AIRFLOW_PORT: ""})
    settings.get_settings.cache_clear()
    return prepared


def _start_database(running: Environment) -> None:
    admin_url = os.environ.get(environment.ADMIN_URL)
    if admin_url:
        databases.ensure(admin_url, databases.ours(running.values))
        return
    if not environment.uses_embedded_postgres(running.home):
        psycopg.connect(running["CREDIT_DATABASE_URL"], connect_timeout=10).close()
        return
    server = EmbeddedPostgres(running.home)
    server.start()
    databases.ensure(server.admin_url(), databases.ours(running.values))


def _migrate_warehouse(progress: Progress) -> None:
    with progress.step("warehouse migrations"):
        _apply_migrations()


def _apply_migrations() -> None:
    from credit_warehouse import migrations  # alembic and the contracts take a second to import

    migrations.apply()


def _load_dashboards(running: Environment, progress: Progress) -> None:
    with progress.step("dashboards: logins, users, pages"):
        superset.ensure_logins(running)
        loaded = superset.load(running)
    progress.say("the dashboards were loaded" if loaded else "the dashboards are as written, nothing to load")


def _migrate_airflow(running: Environment, progress: Progress) -> None:
    if airflow_services.metadata_is_current(running):
        return
    with progress.step("Airflow metadata and administrator"):
        airflow_services.migrate_metadata(running)


def _start_simulator(running: Environment, supervisor: Supervisor, progress: Progress) -> None:
    with progress.step("department systems (simulator)"):
        simulator_service.start(running, supervisor)


def _connections(running: Environment) -> dict[str, str]:
    home = simulator_service.home_of(running)
    return simulator_service.connections(home, running["CREDIT_EXCHANGE_ADMIN_URL"])


def _together(*works: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for outcome in [pool.submit(work) for work in works]:
            outcome.result()


def _has_own_postgres(home: Path) -> bool:
    return (home / "postgres.json").exists()


def _libpq_variables(url: str) -> dict[str, str]:
    values = psycopg.conninfo.conninfo_to_dict(url)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "dbname": "PGDATABASE",
        "user": "PGUSER",
        "password": "PGPASSWORD",
    }
    return {variable: str(values[key]) for key, variable in names.items() if key in values}


def _state(runs: bool) -> str:
    return "[green]running[/]" if runs else "[dim]stopped[/]"
