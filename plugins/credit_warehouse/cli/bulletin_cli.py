"""``bulletin`` and ``overview``: pages to print or mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import typer

from credit_warehouse.cli.tables import console


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("bulletin")(bulletin)
    app.command("overview")(overview)


def bulletin(
    month: datetime = typer.Argument(help="Month, as 2026-03.", formats=["%Y-%m"]),
    publication: int | None = typer.Option(None, help="As of this publication; default: the current one."),
    out: Path | None = typer.Option(None, help="Folder; default: bulletins in the data folder."),
) -> None:
    """Write the bulletin (通报) of a month: ranking, trends, late and missing units, corrections, coverage, plans."""
    from credit_warehouse import bulletin as bulletins

    _write(lambda: bulletins.write(month.date(), publication, out))


def overview(
    publication: int | None = typer.Option(None, help="As of this publication; default: the current one."),
    out: Path | None = typer.Option(None, help="Folder; default: bulletins in the data folder."),
) -> None:
    """Write the leaders' page (总览): coverage, ranking, timeliness, plans, records, of one publication."""
    from credit_warehouse import bulletin as bulletins

    _write(lambda: bulletins.write_overview(publication, out))


def _write(page: Callable[[], Path]) -> None:
    from credit_warehouse.bulletin.figures import NoFigures
    from credit_warehouse.bulletin.printing import PrintFailed, browser

    try:
        path = page()
    except (NoFigures, PrintFailed) as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.print(f"已生成 {path}" + ("，并打印为 PDF" if browser() else "（本机没有 Chromium，未打印 PDF）"))
