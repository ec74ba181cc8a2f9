"""Query results as tables a person can read, in Chinese, on eighty columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import psycopg
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from credit_warehouse.database import connect

# Into a file or a pipe there is no width to respect.
console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)


# Wider cells fold; narrower ones never do.
_FOLDS_FROM = 26


def show(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str, grouped: bool = False
) -> None:
    """Print rows under Chinese column heads, numbers to the right; ``empty`` is said when there are none.

    ``grouped``: the first column is a heading over the rows that share it, not a column.
    """
    if not rows:
        console.print(empty)
        return
    console.print(f"[italic]{title}[/]")
    first = 1 if grouped else 0
    groups = groupby(rows, key=lambda row: row[0]) if grouped else iter([("", rows)])
    for number, (heading, members) in enumerate(groups):
        if heading:
            console.print(f"[bold cyan]{heading}[/]")
        table = _table(columns[first:], [row[first:] for row in rows], show_header=number == 0)
        for row in members:
            table.add_row(*(_text(cell) for cell in row[first:]))
        console.print(table)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]], show_header: bool) -> Table:
    """An empty table whose widths fit all ``rows``, so that the groups' tables stand under one another."""
    table = Table(
        header_style="bold", box=None, pad_edge=False, show_header=show_header, padding=(0, 2, 0, 0)
    )
    for index, column in enumerate(columns):
        cells = [row[index] for row in rows]
        natural = max(cell_len(line) for line in (column, *(_text(cell) for cell in cells)))
        numeric = all(isinstance(cell, int | float | None) for cell in cells)
        narrow = natural < _FOLDS_FROM
        table.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=narrow,
            min_width=natural if narrow else None,
            ratio=None if narrow else 1,
        )
    return table


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def query(statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a read on the warehouse; a warehouse that is not there ends the command with one clear line."""
    try:
        with connect() as connection:
            return connection.execute(statement, parameters or {}).fetchall()
    except (psycopg.OperationalError, RuntimeError) as error:
        console.print(f"[red]无法连接数据仓库[/red]：{error}\n请先运行 make up，或设置 CREDIT_DATABASE_URL。")
        raise typer.Exit(2) from None
