"""dbt as the warehouse runs it: one database session a thread.

dbt itself closes its session after every model and test and opens another for the next: two hundred a night, each of which
learns the catalogue anew and maps the server's memory anew, a third of what a small night costs the server. Here a session goes
on to the thread's next node as it would begin: what a node left open is rolled back, its temporary tables are gone, its
settings are the process's again.

python -m credit_warehouse.transform.dbt_process build --select core
"""

from __future__ import annotations

import psycopg2
from dbt.adapters.base.connections import BaseConnectionManager
from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.cli.main import cli


def keep_sessions() -> None:
    """From now on dbt in this process hands sessions on instead of closing them; it still closes all at its end."""
    PostgresConnectionManager.release = _hand_on  # type: ignore[assignment, method-assign]


def _hand_on(manager: BaseConnectionManager) -> None:
    """In place of dbt's ``release``, called when a node is done with its session. A session that broke is closed, and the next
    node opens another."""
    connection = manager.get_if_exists()
    if connection is None or connection.state != ConnectionState.OPEN:
        return
    connection.transaction_open = False
    try:
        connection.handle.rollback()
        connection.handle.cursor().execute("discard temp; reset all")
        connection.handle.commit()
    except psycopg2.Error:
        manager.close(connection)


if __name__ == "__main__":
    keep_sessions()
    cli()
