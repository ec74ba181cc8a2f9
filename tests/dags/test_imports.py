"""DAG files are parsed again and again, and in every task: they stay light and ask nobody anything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from credit_warehouse.settings import PROJECT_DIR
from tests.dags.conftest import CRONS, run_with_airflow

FILES = sorted((PROJECT_DIR / "dags").glob("*.py"))
SHARED = [*sorted((PROJECT_DIR / "plugins/credit_warehouse/operators").glob("*.py"))]
HEAVY = [
    "credit_warehouse.pipeline",
    "dbt",
    "duckdb",
    "great_expectations",
    "openpyxl",
    "pandas",
    "paramiko",
    "pyarrow",
    "splink",
]

IMPORT = """
import json, runpy, sys, time
import airflow.sdk
from airflow.providers.standard.operators.empty import EmptyOperator
airflow.sdk.task.short_circuit
started = time.process_time()
runpy.run_path({path!r})
print(json.dumps({{
    "cpu_seconds": time.process_time() - started,
    "heavy": [name for name in {heavy!r} if name in sys.modules],
}}))
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_importing_a_dag_file_is_cheap(file: Path, tmp_path: Path) -> None:
    found = run_with_airflow(IMPORT.format(path=str(file), heavy=HEAVY), tmp_path, **CRONS)
    assert found["heavy"] == []
    assert found["cpu_seconds"] < 2.0


@pytest.mark.parametrize("file", [*FILES, *SHARED], ids=lambda file: file.name)
def test_no_variable_is_read_while_parsing(file: Path) -> None:
    names = {
        node.id
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name)
    }
    assert "Variable" not in names


PLUGINS = """
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
print(json.dumps({
    "errors": errors,
    "executed": sorted(name for name, module in sys.modules.items()
        if (getattr(module, "__file__", None) or "").startswith(%r) and "." not in name),
}))
"""


def test_airflow_does_not_take_the_package_for_plugins(tmp_path: Path) -> None:
    """The loader would run every module under its bare name: ``settings``, ``database`` …"""
    found = run_with_airflow(PLUGINS % str(PROJECT_DIR / "plugins"), tmp_path)
    assert found["errors"] == {}
    assert set(found["executed"]) <= {"airflow_local_settings", "credit_pages", "credit_warehouse"}
