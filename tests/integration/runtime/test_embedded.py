"""The embedded PostgreSQL, really started."""

from __future__ import annotations

import json
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from credit_warehouse.runtime import databases, embedded
from credit_warehouse.runtime.embedded import EmbeddedPostgres, PostgresError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path / "home", durable=False)
    yield made
    made.destroy()


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_data_survives_a_restart_and_passwords_are_asked_for(server: EmbeddedPostgres) -> None:
    server.start()
    url = server.create_database("credit", "warehouse", "right", create_role=True)
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (name text)")
        connection.execute("insert into kept values ('信用')")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("right", "wrong"))
    server.stop()
    assert not server.is_running()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)

    again = EmbeddedPostgres(server.home, durable=False)
    again.start()
    assert value(url, "select name from kept") == "信用"


def test_the_cluster_is_as_specified(server: EmbeddedPostgres) -> None:
    server.start()
    shown = {
        name: value(server.admin_url(), f"show {name}")
        for name in ("listen_addresses", "unix_socket_directories", "password_encryption", "server_encoding",
                     "data_checksums", "jit")
    }  # fmt: skip
    assert shown == {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "jit": "off",
    }
    assert (
        value(server.admin_url(), "select datlocale from pg_database where datname = 'postgres'") == "C.UTF-8"
    )
    assert str(value(server.admin_url(), "select version()")).startswith("PostgreSQL 18.")
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == server.port
    }
    assert listening == {"127.0.0.1"}
    assert stat.S_IMODE((server.home / "postgres.json").stat().st_mode) == 0o600


def test_starting_and_stopping_twice_changes_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    started = value(server.admin_url(), "select pg_postmaster_start_time()")
    server.start()
    assert value(server.admin_url(), "select pg_postmaster_start_time()") == started
    server.stop()
    server.stop()


def test_databases_and_owners_are_made_once(server: EmbeddedPostgres) -> None:
    server.start()
    values = {
        "CREDIT_DATABASE_URL": server.url("credit", "warehouse", "w"),
        "CREDIT_AIRFLOW_DATABASE_URL": server.url("airflow", "airflow", "a"),
        "CREDIT_EXCHANGE_ADMIN_URL": server.url("exchange", "exchange_owner", "x"),
    }
    for _ in range(2):
        databases.ensure(server.admin_url(), databases.ours(values))
    for url in values.values():
        assert value(url, "select pg_catalog.pg_get_userbyid(datdba) = current_user from pg_database "
                          "where datname = current_database()") is True  # fmt: skip
    with psycopg.connect(values["CREDIT_DATABASE_URL"]) as connection:
        connection.execute("create role credit_reader nologin")
        connection.execute("create extension pg_trgm")
    with psycopg.connect(values["CREDIT_AIRFLOW_DATABASE_URL"]) as connection:  # noqa: SIM117
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create role intruder")


def test_a_changed_password_is_set(server: EmbeddedPostgres) -> None:
    server.start()
    server.create_database("credit", "warehouse", "old")
    url = server.create_database("credit", "warehouse", "new")
    assert value(url, "select current_user") == "warehouse"


def test_a_pid_file_of_a_crash_does_not_keep_it_from_starting(server: EmbeddedPostgres) -> None:
    server.start()
    url = server.create_database("credit", "warehouse", "w")
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as number")
    postmaster = psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0]))
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=20)
    # The number now belongs to somebody else: this test.
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    (server.data / "postmaster.pid").write_text("\n".join([str(psutil.Process().pid), *lines[1:]]) + "\n")
    assert not server.is_running()
    server.start()
    assert server.is_running()


def test_a_half_made_cluster_is_made_anew(server: EmbeddedPostgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("18\n")
    server.start()
    assert value(server.admin_url(), "select 1") == 1


def test_a_taken_port_is_named_and_can_be_avoided(server: EmbeddedPostgres) -> None:
    server.ensure_initialised()
    taken = server.port
    with socket.create_server(("127.0.0.1", taken)):
        with pytest.raises(PostgresError, match=str(taken)):
            server.start()
        assert server.avoid_taken_port()
        server.start()
    assert server.port != taken
    assert value(server.admin_url(), "select inet_server_port()") == server.port
    assert json.loads((server.home / "postgres.json").read_text())["port"] == server.port


def test_destroy_leaves_nothing(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "home", durable=False)
    server.start()
    root = server.root
    server.destroy()
    assert not root.exists()
    assert {entry.name for entry in server.home.iterdir()} <= {"postgres.lock"}


def test_programs_are_copied_for_an_account_that_cannot_reach_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder)
        shared.chmod(0o755)
        monkeypatch.setattr(embedded, "SYSTEM_ROOT", shared / "shared")
        monkeypatch.setattr(embedded.Account, "can_reach", lambda self, path: shared in path.parents)
        for _ in range(2):
            server = EmbeddedPostgres(tmp_path / "home", durable=False)
            server.start()
        programs = psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0])).exe()
        assert Path(programs).is_relative_to(shared)
        assert server.root.is_relative_to(shared)
        assert value(server.admin_url(), "select 1") == 1
        server.destroy()
        assert not (shared / "shared").exists()


def test_group_roles_another_system_made_are_shared(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        connection.execute("create role credit_etl")
    url = server.create_database("credit", "warehouse", "secret", create_role=True)
    assert value(url, "select pg_has_role(current_user, 'credit_etl', 'member')") is True


def test_a_backend_that_outlived_its_postmaster_does_not_write_beside_the_next_server(
    server: EmbeddedPostgres,
) -> None:
    """A busy backend does not notice that its postmaster was shot; two servers on one folder would ruin the data."""
    server.start()
    busy = psycopg.connect(server.admin_url(), autocommit=True)
    backend = psutil.Process(busy.info.backend_pid)
    # No wait in it, at which it would notice: as a long statement of dbt is.
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 2000000000)")
    postmaster = backend.parent()
    assert postmaster is not None
    postmaster.kill()
    psutil.wait_procs([postmaster], timeout=10)
    assert backend.is_running(), "the statement goes on"
    server.start()
    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE
    busy.close()
    assert value(server.admin_url(), "select 1") == 1
