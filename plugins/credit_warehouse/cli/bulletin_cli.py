"""``bulletin``: the monthly bulletin as a page to print or mail."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from credit_warehouse.cli.tables import console


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("bulletin")(bulletin)


def bulletin(
    month: datetime = typer.Argument(help="Month, as 2026-03.", formats=["%Y-%m"]),
    publication: int | None = typer.Option(None, help="As of this publication; default: the current one."),
    out: Path | None = typer.Option(None, help="Folder; default: bulletins in the data folder."),
) -> None:
    """Write the bulletin (通报) of a month: ranking, trends, late and missing units, corrections, coverage, plans."""
    from credit_warehouse import bulletin as bulletins
    from credit_warehouse.bulletin.figures import NoFigures

    try:
        path = bulletins.write(month.date(), publication, out)
    except NoFigures as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    console.print(f"已生成 {path}")
