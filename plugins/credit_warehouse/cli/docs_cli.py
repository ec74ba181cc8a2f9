"""``docs``: the dictionary as a page."""

from __future__ import annotations

import typer

from credit_warehouse.cli.tables import console


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("docs")(docs)


def docs() -> None:
    """Write the data dictionary (数据字典): every mart and column, lineage, tests, owners, as one page."""
    from credit_warehouse.transform.dictionary_site import DocsFailed, write_dictionary

    try:
        path = write_dictionary()
    except DocsFailed as error:
        console.print(f"[red]未生成数据字典[/red]：{error}", markup=True)
        raise typer.Exit(1) from None
    console.print(f"已生成 {path}，也可在 Airflow 菜单「信用数据 · Credit」中打开")
