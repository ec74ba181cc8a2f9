"""The verbs of the command line that start, play and stop the system (`make` calls them)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(no_args_is_help=True)


@app.command()
def up() -> None:
    """Start everything and print addresses and passwords (启动全部服务)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        running = verbs.up(_console())
        verbs.show_addresses(_console(), running)


@app.command()
def dashboards() -> None:
    """Load the dashboards, serve them and print the address and first passwords (启动驾驶舱)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        running = verbs.dashboards(_console())
        verbs.show_dashboards(_console(), running)


@app.command()
def load_dashboards(
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Also print everybody's first password.")
    ] = False,
) -> None:
    """Load the dashboards before a server's Superset starts (docker compose)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        running = verbs.load_dashboards(_console())
        if passwords:
            verbs.show_first_passwords(_console(), running)


@app.command()
def serve_dashboards(
    host: Annotated[str, typer.Option(help="Address to listen on, at CREDIT_SUPERSET_PORT.")] = "127.0.0.1",
) -> None:
    """Serve the loaded dashboards in the foreground (docker compose)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.serve_dashboards(host)


@app.command()
def down() -> None:
    """Stop everything; data stays (停止全部服务，保留数据)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.down(_console())


@app.command()
def demo() -> None:
    """Start everything, run the first night, compare it with the answer key (演示首夜)."""
    from credit_warehouse.runtime import nights

    with _plain_errors():
        succeeded = nights.demo(_console())
    raise typer.Exit(0 if succeeded else 1)


@app.command()
def nightly(
    business_date: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%d"], help="The business date whose night to run.")
    ],
    source: Annotated[
        list[str] | None, typer.Option(help="Only this source, e.g. tax once it is back; repeatable.")
    ] = None,
) -> None:
    """Run one night: departments deliver, Airflow takes in and publishes (跑一夜).

    Exit code 1 when something broke; a late source, refused batches and a failed gate are answers, and exit 0.
    """
    from credit_warehouse.runtime import nights

    with _plain_errors():
        succeeded = nights.nightly(_console(), business_date.date(), source or ())
    raise typer.Exit(0 if succeeded else 1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse; further words go to psql, e.g. -c 'select 1' (连接数据仓库)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.psql(context.args)


@app.command()
def status() -> None:
    """Which parts run, and their logs (运行状态)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.status(_console())


@app.command()
def clean() -> None:
    """Stop everything and remove all data, logs and generated passwords (清除全部数据)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.clean(_console())


@app.command()
def prepare() -> None:
    """Bring every database to this version before a server's services start (docker compose)."""
    from credit_warehouse.runtime import verbs

    with _plain_errors():
        verbs.prepare_databases(_console())


@app.command()
def connections(
    simulator_home: Annotated[Path, typer.Option(help="The simulator's folder.")],
    host: Annotated[str, typer.Option(help="Name under which Airflow reaches the simulator.")],
    exchange_url: Annotated[
        str, typer.Option(envvar="CREDIT_EXCHANGE_ADMIN_URL", help="URL of its exchange database.")
    ],
) -> None:
    """Print the simulator's connections as lines for an env file (docker compose)."""
    from credit_warehouse.runtime import simulator_service

    for name, value in simulator_service.connections(simulator_home, exchange_url, host).items():
        typer.echo(f"{name}='{value}'")


def _console() -> Console:
    # A log has no width of its own, and rich's guess of 80 breaks the tables.
    return Console() if sys.stdout.isatty() else Console(width=120)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Ends the command with one clear sentence for what a person can act on; anything else keeps its traceback."""
    import httpx
    import psycopg

    from credit_warehouse.runtime.airflow_api import AirflowApiError
    from credit_warehouse.runtime.airflow_services import DagsBroken
    from credit_warehouse.runtime.embedded import PostgresError
    from credit_warehouse.runtime.environment import EnvironmentMissing
    from credit_warehouse.runtime.ports import NoFreePort
    from credit_warehouse.runtime.processes import ProcessDied

    known = (
        AirflowApiError, DagsBroken, EnvironmentMissing, NoFreePort, PostgresError, ProcessDied, TimeoutError,
        httpx.HTTPError, psycopg.Error,
    )  # fmt: skip
    try:
        yield
    except known as error:
        _console().print(f"[red]✗[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(1) from error
