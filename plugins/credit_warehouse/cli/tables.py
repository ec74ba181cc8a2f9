"""Query results as tables a person can read, in Chinese, at any terminal width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from credit_warehouse.database import connect

console = Console()


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str) -> None:
    """Print rows under Chinese column heads; numbers to the right. ``empty`` is said when there are none."""
    if not rows:
        console.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table)


def query(statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a read on the warehouse; a warehouse that is not there ends the command with one clear line."""
    try:
        with connect() as connection:
            return connection.execute(statement, parameters or {}).fetchall()
    except (psycopg.OperationalError, RuntimeError) as error:
        console.print(f"[red]无法连接数据仓库[/red]：{error}\n请先运行 make up，或设置 CREDIT_DATABASE_URL。")
        raise typer.Exit(2) from None
