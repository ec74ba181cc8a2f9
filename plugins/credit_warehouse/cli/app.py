"""The verbs of the command line; each lives in the module that shows the same things."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

app = typer.Typer(
    name="credit-warehouse",
    help="Nightly credit-information warehouse (公共信用信息数据仓库): feeds, batches, quarantine, publications.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

_MODULES = (
    "ledger_cli",
    "feedback_cli",
    "publication_cli",
    "history_cli",
    "record_cli",
    "entry_cli",
    "reader_cli",
    "export_cli",
    "query_cli",
    "docs_cli",
    "access_cli",
    "exchange_cli",
    "review_cli",
    "plan_cli",
    "contracts_cli",
    "appraisal_cli",
    "bulletin_cli",
    "backup_cli",
    "doctor_cli",
)


def _mount() -> None:
    for module in _MODULES:
        import_module(f"credit_warehouse.cli.{module}").register(app)
    from credit_warehouse.runtime.cli import app as runtime

    app.add_typer(runtime)


_mount()

if __name__ == "__main__":
    sys.exit(app())
