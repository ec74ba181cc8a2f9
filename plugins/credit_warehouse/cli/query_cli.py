"""``query``: the gallery of example queries, listed and answered."""

from __future__ import annotations

from uuid import UUID

import psycopg
import typer

from credit_warehouse import access
from credit_warehouse.cli.tables import console, show
from credit_warehouse.database import connect
from credit_warehouse.gallery import UnknownQuery, load_queries, load_query, run
from credit_warehouse.readers import LABELS, Role, take_on


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("query")(query)


def query(
    name: str | None = typer.Argument(None, help="Name of the query; without one, the questions are listed."),
    as_of: int | None = typer.Option(None, help="As of this publication; default: the current one."),
    role: Role = typer.Option(Role.ANALYST, "--as", help="Read as this role."),
    subject: UUID | None = typer.Option(None, help="Key of the subject, for the queries about one."),
    limit: int = typer.Option(40, min=1, help="Rows to show."),
) -> None:
    """Answer an example question of the gallery (queries/), read as a role may read it."""
    if name is None:
        rows = [(one.name, one.question, ", ".join(one.marts)) for one in load_queries().values()]
        show("示例查询 · example queries", ["名称", "问题", "集市"], rows, "没有示例查询")
        return
    try:
        found = load_query(name)
        with connect(as_of) as connection:
            connection.execute("set transaction read only")
            take_on(connection, role)
            connection.execute("select set_config('query.subject', %s, true)", [str(subject or "")])
            columns, rows = run(connection, found)
            # Queries about one subject keep in the setting whom they chose.
            asked = connection.execute("select nullif(current_setting('query.subject'), '')::uuid").fetchone()
        access.note(f"query {name}", subject=asked[0] if asked else None, publication_id=as_of, role=role)
    except (UnknownQuery, psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable) as error:
        reason = str(error) if isinstance(error, UnknownQuery) else f"{LABELS[role]}无权读取：{error}"
        console.print(f"[red]{reason}[/red]")
        raise typer.Exit(1) from None
    console.print(found.question)
    show(found.english, columns, rows[:limit], "没有结果")
    if len(rows) > limit:
        console.print(f"……共 {len(rows):,} 行，仅列出前 {limit} 行")
