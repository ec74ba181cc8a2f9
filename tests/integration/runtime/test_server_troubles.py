"""A server whose disk is full, and a lock somebody holds: told in Chinese, kept in the ledger where it can be."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest

from credit_warehouse import migrations, publication
from credit_warehouse.cli.doctor_cli import _findings
from credit_warehouse.database import connect
from credit_warehouse.outcomes import step
from credit_warehouse.runtime.embedded import EmbeddedPostgres
from credit_warehouse.settings import get_settings
from credit_warehouse.troubles import DISK_FULL, LOCK_TIMEOUT, trouble_of
from tests import databases

NIGHT = date(2026, 3, 2)
MIB = 1 << 20


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What is started here cannot let a file grow beyond this; to PostgreSQL that is a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_of_the_server_is_told_and_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedPostgres(tmp_path / "server", durable=False)
    try:
        server.ensure_initialised()
        # Above a segment of the log: only tables can meet the limit.
        with files_of_at_most(20 * MIB):
            server.start()
        name = databases.create(server.admin_url())
        databases.use(monkeypatch, server.admin_url(), name, tmp_path / "home")
        migrations.apply()
        with pytest.raises(psycopg.Error) as caught, step("load", NIGHT), connect() as connection:
            connection.execute(
                "create table raw.big as select md5(i::text) from generate_series(1, 400000) as i"
            )
        assert DISK_FULL.advice in caught.value.__notes__
        assert _last_outcome() == ("failed", "disk_full", True)

        server.stop()
        server.start()
        with step("load", NIGHT), connect() as connection:
            connection.execute(
                "create table raw.big as select md5(i::text) from generate_series(1, 400000) as i"
            )
        assert _last_outcome()[0] == "succeeded"
    finally:
        server.destroy()
        get_settings.cache_clear()


def test_a_lock_that_is_held_is_told_with_who_holds_it(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_LOCK_TIMEOUT_SECONDS", "1")
    get_settings.cache_clear()
    with psycopg.connect(warehouse, application_name="analyst") as holder:
        holder.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.publication'))")
        with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
            publication.open_candidate(NIGHT)
        assert trouble_of(caught.value) is LOCK_TIMEOUT
        (sessions,) = (finding for finding in _findings() if finding.name == "占用的会话")
        assert not sessions.ok and "analyst" in sessions.seen
    assert publication.open_candidate(NIGHT) is not None, "once it is let go of, the next try is fine"
    (sessions,) = (finding for finding in _findings() if finding.name == "占用的会话")
    assert sessions.ok


def _last_outcome() -> tuple[str, str | None, bool]:
    with connect() as connection:
        row = connection.execute(
            "select state, code, message like '磁盘空间不足%' from ops.outcome order by outcome_id desc limit 1"
        ).fetchone()
    assert row is not None
    return row
