"""Versioned schema of everything dbt does not build: ledger, publication, quarantine, vault, roles.

Alembic keeps the versions; the SQL of each stands beside it in ``versions/*.sql``. Raw tables follow the contracts
and are made by :func:`credit_warehouse.contracts.tables.apply`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from credit_warehouse import appraisal, metrics
from credit_warehouse.catalogue import load_catalogue
from credit_warehouse.catalogue import tables as catalogue_tables
from credit_warehouse.cities import load_cities, load_city
from credit_warehouse.cities import tables as city_tables
from credit_warehouse.contracts import load_contracts, tables
from credit_warehouse.database import connect, sqlalchemy_url
from credit_warehouse.plans import load_plans
from credit_warehouse.plans import tables as plan_tables
from credit_warehouse.settings import get_settings


def apply() -> None:
    """Bring the warehouse to the newest version and its raw tables to the contracts. Idempotent.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the server refuses; nothing of the failing version stays.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = sqlalchemy_url()
    command.upgrade(config, "head")
    settings = get_settings()
    with connect() as connection:
        connection.execute("update ops.office set clock = %s", [settings.clock])
        city_tables.apply(connection, load_cities().values(), load_city())
        catalogue_tables.apply(connection, load_catalogue())
        metrics.apply(connection, metrics.load_metrics())
        appraisal.apply(connection, appraisal.load_sheet())
        tables.apply(connection, load_contracts().values())
        plan_tables.apply(connection, load_plans())
