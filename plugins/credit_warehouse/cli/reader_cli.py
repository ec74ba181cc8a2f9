"""``reader``: who may read the warehouse."""

from __future__ import annotations

import typer

from credit_warehouse.cli.tables import console, show
from credit_warehouse.readers import LABELS, Role

reader = typer.Typer(name="reader", help="Logins that read the warehouse (读取账号).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.add_typer(reader, name="reader")


@reader.command("add")
def add(
    login: str = typer.Argument(help="Name of the login."),
    role: Role = typer.Option(help="What it may read."),
    department: str | None = typer.Option(None, help="Code of the department, for a department's login."),
) -> None:
    """Make a login, or give one a new password; the password is shown this once."""
    from credit_warehouse import readers

    try:
        password = readers.add(login, role, department)
    except readers.ReaderRefused as refused:
        console.print(f"[red]未建立[/red]：{refused}")
        raise typer.Exit(1) from None
    console.print(f"{login}：{LABELS[role]}{f'，{department}' if department else ''}")
    console.print(f"口令（只显示这一次）：{password}", markup=False, soft_wrap=True)


@reader.command("remove")
def remove(login: str = typer.Argument(help="Name of the login.")) -> None:
    """Take a login away and end its sessions."""
    from credit_warehouse import readers

    try:
        readers.remove(login)
    except readers.ReaderRefused as refused:
        console.print(f"[red]未移除[/red]：{refused}")
        raise typer.Exit(1) from None
    console.print(f"已移除 {login}")


@reader.command("list")
def list_() -> None:
    """Every login, its role and department."""
    from credit_warehouse import readers

    rows = [(login, LABELS[role], department) for login, role, department in readers.listed()]
    show("读取账号", ["账号", "角色", "部门"], rows, empty="还没有读取账号：credit-warehouse reader add")
