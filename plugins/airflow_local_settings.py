"""Read by Airflow in each of its processes, before anything else.

The scheduler's executor forks one process per task. What the scheduler has imported, no task imports again: without
this, a night on two cores spends more time importing than working. Third-party packages only, so that a task always
runs our own code as it is on disk.
"""

from __future__ import annotations

import importlib
import sys

__all__: list[str] = []

USED_BY_TASKS = (
    "dbt.cli.main",
    "duckdb",
    "great_expectations",
    "pandas",
    "psycopg",
    "pydantic_settings",
    "splink",
    "sqlalchemy.dialects.postgresql.psycopg",
    "yaml",
)

if "scheduler" in sys.argv[1:]:
    for _name in USED_BY_TASKS:
        importlib.import_module(_name)
