"""``contracts check``, ``contracts generate``, ``migrate``: from contract files to tables and models."""

from __future__ import annotations

import typer

from credit_warehouse.cli.tables import console
from credit_warehouse.settings import get_settings


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    contracts = typer.Typer(
        help="Feed contracts: check them, and generate what follows from them.", no_args_is_help=True
    )
    contracts.command("check")(check)
    contracts.command("generate")(generate)
    app.add_typer(contracts, name="contracts")
    app.command("migrate")(migrate)


def check() -> None:
    """Check every contract: the ODCS schema, our own terms, its sample, and that generated models are up to date."""
    from credit_warehouse.contracts import ContractError, load_contracts
    from credit_warehouse.contracts.odcs import odcs_problems
    from credit_warehouse.contracts.samples import sample_problems
    from credit_warehouse.feedback.address import load_addresses
    from credit_warehouse.transform import generate as generator

    settings = get_settings()
    problems: list[str] = []
    for path in sorted(settings.contracts_dir.glob("*/*.yaml")):
        problems += odcs_problems(path)
    try:
        loaded = load_contracts()
        for contract in loaded.values():
            problems += sample_problems(contract, settings)
        problems += generator.check(loaded, settings.dbt_project_dir)
        load_addresses()
    except ContractError as error:
        problems.append(str(error))
        loaded = {}
    for problem in problems:
        console.print(f"[red]✗[/red] {problem}")
    if problems:
        raise typer.Exit(1)
    console.print(f"{len(loaded)} contracts in order.")


def generate() -> None:
    """Write the dbt staging models, sources and the union of records from the contracts."""
    from credit_warehouse.contracts import load_contracts
    from credit_warehouse.transform.generate import write

    written = write(load_contracts(), get_settings().dbt_project_dir)
    console.print(
        f"{len(written)} files written." if written else "Nothing to write: models match the contracts."
    )


def migrate() -> None:
    """Bring the warehouse's schema to this version and its raw tables to the contracts."""
    from credit_warehouse import migrations

    migrations.apply()
    console.print("数据仓库结构已是最新。")
