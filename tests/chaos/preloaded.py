"""Imported once by the process all steps are forked from, as Airflow's scheduler does for its tasks
(plugins/airflow_local_settings.py): a step costs a fork, not ten seconds of imports."""

import importlib

from credit_warehouse import pipeline, quality
from credit_warehouse.contracts import load_contracts
from credit_warehouse.feedback import channels

__all__ = ["channels", "pipeline", "quality"]

for _name in (
    "credit_warehouse.matching.proposing",
    "credit_warehouse.quality.engine",
    "credit_warehouse.intake.split",
    "expectations.intake",
    "expectations.publication",
    "credit_warehouse.transform.run",
    "duckdb",
    "great_expectations",
    "pandas",
    "python_calamine",
    "splink",
    "sqlalchemy.dialects.postgresql.psycopg",
):
    importlib.import_module(_name)
load_contracts()
