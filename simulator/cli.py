"""Command line of the simulator."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator import config as configuration
from simulator.client import Client, SimulatorError
from simulator.departments import Departments

app = typer.Typer(
    help="The five department systems as real servers, with seeded synthetic data and an answer key.",
    no_args_is_help=True,
    add_completion=False,
)

Home = Annotated[
    Path, typer.Option("--home", envvar="CREDIT_SIMULATOR_HOME", help="Folder of this simulator.")
]
_HOME = Path("var/simulator")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date like 2026-03-02") from error


def _show(answer: dict[str, Any]) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


@app.command()
def serve(
    home: Home = _HOME,
    exchange_url: Annotated[
        str | None,
        typer.Option(
            envvar="CREDIT_SIMULATOR_EXCHANGE_URL",
            help="Admin URL of the exchange database (made if missing).",
        ),
    ] = None,
    through: Annotated[
        str | None, typer.Option(help="Generate nights up to this date before saying ready.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on, for a new simulator.")] = "127.0.0.1",
    seed: Annotated[int | None, typer.Option(help="Seed of a new simulator.")] = None,
    city: Annotated[
        str | None, typer.Option(envvar="CREDIT_CITY", help="City of a new simulator, a file of cities/.")
    ] = None,
    enterprises: Annotated[int | None, typer.Option(help="Register size of a new simulator.")] = None,
    persons: Annotated[int | None, typer.Option(help="Natural persons of a new simulator.")] = None,
) -> None:
    """Run all departments until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.WARNING)
    # A dropped connection is often an armed fault here; asyncssh and uvicorn need not report each.
    for name in ("asyncssh", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    day = _date(through) if through else None
    config = configuration.ensure(
        home, host=host, seed=seed, city=city, enterprises=enterprises, persons=persons
    )
    asyncio.run(_serve(Departments(home, config, exchange_url), day))


async def _serve(departments: Departments, through: date | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await departments.start()
    try:
        if through is not None:
            await departments.advance(through)
        state = departments.describe()
        typer.echo(
            f"{datetime.now():%H:%M:%S} simulator ready: {state['ports']}, exchange "
            f"{'on' if state['exchange'] else 'off (no --exchange-url)'}, nights through {state['generated_through']}"
        )
        await stop.wait()
    finally:
        await departments.stop()


def _call(home: Path, verb: str, *args: Any, **options: Any) -> None:
    try:
        _show(getattr(Client.of(home), verb)(*args, **options))
    except SimulatorError as error:
        typer.echo(f"simulator: {error}", err=True)
        raise typer.Exit(1) from error


@app.command()
def advance(day: Annotated[str, typer.Argument(metavar="DATE")], home: Home = _HOME) -> None:
    """Generate every night up to DATE on the running simulator."""
    _call(home, "advance", _date(day))


@app.command()
def state(home: Home = _HOME) -> None:
    """Show what the running simulator has generated, what is armed and where it listens."""
    _call(home, "state")


@app.command()
def fault(
    kind: Annotated[str, typer.Argument(help="See simulator/faults.py, e.g. down, truncated, token_expiry.")],
    source: Annotated[
        str | None, typer.Option(help="court, tax, social_security or market_regulation.")
    ] = None,
    feed: Annotated[str | None, typer.Option(help="Feed id, for faults of one delivery.")] = None,
    mode: Annotated[
        str | None, typer.Option(help="down on tax: 503 answers instead of refused connections.")
    ] = None,
    times: Annotated[int, typer.Option(help="How often a transfer fault strikes.")] = 1,
    home: Home = _HOME,
) -> None:
    """Arm a fault on the running simulator."""
    _call(home, "fault", kind, source=source, feed=feed, mode=mode, times=times)


@app.command()
def clear(
    source: Annotated[str | None, typer.Argument(help="Only this source's faults.")] = None,
    home: Home = _HOME,
) -> None:
    """Disarm faults; a source that was down comes back."""
    _call(home, "clear", source)


@app.command()
def redeliver(feed: str, day: Annotated[str, typer.Argument(metavar="DATE")], home: Home = _HOME) -> None:
    """Have a department send a spoilt delivery again, this time right."""
    _call(home, "redeliver", feed, _date(day))
