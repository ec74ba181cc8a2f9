"""``enter``: what officers know and no feed tells, from a CSV file."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path

import typer

from credit_warehouse.cli.tables import console


class Kind(StrEnum):
    """What the lines of a file are."""

    SPOT_CHECKS = "spot-checks"
    DECLARED_PRODUCTION = "declared-production"
    OUTAGES = "outages"
    ZERO_REPORTS = "zero-reports"


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("enter")(enter)


def enter(
    kind: Kind = typer.Argument(help="What the lines are."),
    file: Path = typer.Argument(exists=True, dir_okay=False, help="CSV with Chinese column heads."),
    by: str = typer.Option(default_factory=getpass.getuser, help="Officer."),
) -> None:
    """Enter spot checks, declared production, our outages or zero reports. The file is taken whole or not at all."""
    from credit_warehouse import entries

    try:
        count = entries.enter(kind.value, file, by)
    except entries.EntriesRefused as refused:
        console.print(
            f"[red]未录入[/red]，{file.name} 有 {len(refused.faults)} 处问题，请更正后重新录入整个文件："
        )
        for fault in refused.faults:
            console.print(fault, markup=False)
        raise typer.Exit(1) from None
    console.print(f"已录入 {count} 行，下一次发布起计入指标。")
