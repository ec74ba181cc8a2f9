"""``export``: a mart as a file with its dictionary, for whom it is for."""

from __future__ import annotations

from pathlib import Path

import typer

from credit_warehouse.cli.tables import console
from credit_warehouse.export import ExportRefused, Format, export
from credit_warehouse.readers import Role


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("export")(export_mart)


def export_mart(
    mart: str = typer.Argument(help="Name of the mart, e.g. department_metric_monthly."),
    to: Path = typer.Option(..., help="Folder of the two files."),
    kind: Format = typer.Option(Format.CSV, "--format", help="Format of the data."),
    as_of: int | None = typer.Option(None, help="As of this publication; default: the current one."),
    role: Role = typer.Option(Role.ANALYST, "--as", help="Read as this role; it sees what the role may see."),
) -> None:
    """Write a mart as CSV or Parquet with its dictionary (数据字典) beside it. What the role may not read is refused."""
    try:
        done = export(mart, kind, to, as_of, role)
    except ExportRefused as error:
        console.print(f"[red]未导出[/red]：{error}")
        raise typer.Exit(1) from None
    console.print(
        f"已导出发布批次 {done.publication_id} 的 {done.rows:,} 行：{done.data}，字典 {done.dictionary}"
    )
