"""A throw-away warehouse for a benchmark."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def vacuum(url: str) -> None:
    """What the server does by itself after a first load; what is measured next is not to pay for it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


@contextmanager
def warehouse(durable: bool = True) -> Iterator[str]:
    """A migrated warehouse on an embedded server of its own; yields its URL, and the settings point at it. Its legal day is
    the last published night: with today's, months of clocks would have run out since a benchmark's nights.

    ``durable=False``: no fsync and little memory, for benchmarks that measure no database time.
    """
    from credit_warehouse import migrations
    from credit_warehouse.database import connect
    from credit_warehouse.runtime.embedded import EmbeddedPostgres
    from credit_warehouse.runtime.ports import reserve
    from credit_warehouse.settings import get_settings

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = EmbeddedPostgres(home=Path(folder) / "postgres", port=reserve(), durable=durable)
        server.start()
        try:
            url = server.admin_url("postgres")
            os.environ |= {"CREDIT_DATABASE_URL": url, "CREDIT_HOME": folder}
            os.environ.setdefault("CREDIT_PEPPER", "bench")
            get_settings.cache_clear()
            migrations.apply()
            with connect() as connection:
                connection.execute("update ops.office set clock = 'nights'")
            yield url
        finally:
            server.destroy()
