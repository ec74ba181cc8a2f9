"""Alembic's entry point: one transaction per migration, versions kept in ``ops``."""

from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    # Two starters at once must not both migrate; the lock ends with the session.
    connection.execute(text("select pg_advisory_lock(hashtext('credit_warehouse.migrations'))"))
    connection.execute(text("create schema if not exists ops"))
    connection.commit()
    context.configure(connection=connection, version_table_schema="ops", transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
