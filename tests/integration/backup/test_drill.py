"""The drill: a system is lost and comes back as of a moment, row for row what it was then."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest
from typer.testing import CliRunner

from credit_warehouse import migrations
from credit_warehouse.backup import making, restoring, sealed
from credit_warehouse.backup.errors import BackupError
from credit_warehouse.cli.app import app
from credit_warehouse.database import connect
from credit_warehouse.history import fingerprint, prune, reading
from credit_warehouse.history.fingerprint import Fingerprints
from credit_warehouse.identity import duckdb as macros
from credit_warehouse.runtime import databases, embedded, environment, ports
from credit_warehouse.runtime.embedded import EmbeddedPostgres
from credit_warehouse.settings import get_settings
from tests.databases import create, drop
from tests.integration.history import marts

START = date(2026, 1, 30)


@dataclass
class System:
    """A running system and the folder its backups go to."""

    home: Path
    backups: Path

    def night(self, number: int) -> datetime:
        """One night: a landed file, its batch, a publication, a row in Airflow's database. The moment after it."""
        day = START + timedelta(days=number)
        landed = self.home / "landing" / "tax.tax_arrears" / f"{number}.csv"
        landed.parent.mkdir(parents=True, exist_ok=True)
        landed.write_text(f"night {number}")
        with connect() as connection:
            connection.execute(
                "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes, state,"
                " delivered_rows, accepted_rows, quarantined_rows, refused_rows, contract_version)"
                " values ('tax.tax_arrears', %(day)s, %(day)s, %(name)s, repeat(%(digit)s, 64), %(name)s, 1, 'accepted',"
                " 0, 0, 0, 0, '1')",
                {"day": day, "name": f"tax.tax_arrears/{number}.csv", "digit": f"{number:x}"},
            )
        marts.night(day, {number % 3: f"值 {number}", 9: str(number)})
        with psycopg.connect(self.airflow_url) as airflow:
            airflow.execute("insert into dag_run values (%s)", [number])
        time.sleep(0.05)
        moment = datetime.now(UTC)
        time.sleep(0.05)
        return moment

    @property
    def airflow_url(self) -> str:
        return environment.load(self.home)["CREDIT_AIRFLOW_DATABASE_URL"]

    def fingerprints(self) -> Fingerprints:
        with connect() as connection:
            return fingerprint.take(connection)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """A system of its own, reachable for the account the server runs under."""
    for name in [name for name in os.environ if name.startswith(("CREDIT_", "AIRFLOW_"))]:
        monkeypatch.delenv(name)
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    home = folder / "home"
    monkeypatch.setenv("CREDIT_HOME", str(home))
    monkeypatch.setenv(embedded.PORT, str(ports.reserve()))
    monkeypatch.setenv(sealed.PASSPHRASE, "a passphrase of the drill")
    get_settings.cache_clear()
    running = environment.prepare(home)
    server = EmbeddedPostgres(home)
    try:
        server.start()
        databases.ensure(server.admin_url(), databases.ours(running.values))
        get_settings.cache_clear()
        migrations.apply()
        marts.make()
        with psycopg.connect(running["CREDIT_AIRFLOW_DATABASE_URL"]) as airflow:
            airflow.execute("create table dag_run (number int)")
        _identity(running["CREDIT_PEPPER"])
        yield System(home, folder / "backups")
    finally:
        for state in folder.rglob("postgres.json"):
            EmbeddedPostgres(state.parent).destroy()
        shutil.rmtree(folder, ignore_errors=True)
        get_settings.cache_clear()


def _identity(pepper: str) -> None:
    with duckdb.connect() as engine, connect() as connection:
        macros.install(engine, pepper)
        key = engine.execute("select subject_key('uscc', '91440000000000001X')").fetchone()
        assert key is not None
        connection.execute(
            "insert into vault.identity values (%s, 'organisation', 'uscc', '91440000000000001X', '甲公司', 1)",
            key,
        )


def _read(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _use(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Point this process at a restored system, as its next start does."""
    patch.setenv("CREDIT_HOME", str(home))
    get_settings.cache_clear()
    environment.prepare(home)
    get_settings.cache_clear()


def test_a_lost_system_comes_back_as_of_a_moment(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        system.night(number)
    secrets = environment.load(system.home)
    first = making.make(secrets, system.backups)
    system.night(3)
    then = system.night(4)
    recorded = system.fingerprints()
    rows = {number: marts.read(number) for number in range(1, 6)}
    with connect() as connection:
        connection.execute("update mart_store.one set value = '误改'")
    system.night(5)
    making.make(secrets, system.backups)  # holds the files of nights 3 and 4, and the mistake
    EmbeddedPostgres(system.home).stop()
    shutil.rmtree(system.home / "landing")

    chosen = restoring.choose(system.backups, then)
    assert chosen.folder == first.folder
    restored = restoring.restore(chosen, system.home.parent / "restored", then)
    assert restored.is_whole and restored.compared == 6 and restored.current == 5
    assert restored.missing_files == []

    _use(monkeypatch, restored.home)
    assert system.fingerprints() == recorded
    assert {number: marts.read(number) for number in range(1, 6)} == rows
    now = environment.load(restored.home)
    assert _read(now["CREDIT_AIRFLOW_DATABASE_URL"], "select number from dag_run order by 1") == [
        (n,) for n in range(5)
    ]
    for name in ("CREDIT_PEPPER", "AIRFLOW__CORE__FERNET_KEY", "CREDIT_AIRFLOW_PASSWORD"):
        assert now[name] == secrets[name], "whoever had a key has the same key again"
    assert (restored.home / "landing/tax.tax_arrears/4.csv").read_text() == "night 4"
    assert EmbeddedPostgres(restored.home).wal_archive is None
    assert marts.night(START + timedelta(days=9), {1: "goes on"}) > 6, "numbers are never given twice"


def test_without_a_moment_it_is_the_newest_archived_state(system: System) -> None:
    system.night(0)
    made = making.make(environment.load(system.home), system.backups)
    system.night(1)
    recorded = system.fingerprints()
    server = EmbeddedPostgres(system.home)
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        connection.execute("select pg_switch_wal()")
    server.stop()
    restored = restoring.restore(made, system.home.parent / "restored")
    assert restored.is_whole and restored.current == 2
    assert restored.missing_files == ["tax.tax_arrears/1.csv"], (
        "landed after the last backup: said, not hidden"
    )
    with psycopg.connect(EmbeddedPostgres(restored.home).admin_url("credit")) as connection:
        assert fingerprint.take(connection) == recorded


def test_what_was_changed_behind_the_ledger_is_noticed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.night(0)
    monkeypatch.setattr(
        making.fingerprint, "take", lambda connection: {(1, "one"): "1:0.0", (1, "two"): "1:0.0"}
    )
    made = making.make(environment.load(system.home), system.backups)
    monkeypatch.undo()
    monkeypatch.setenv(sealed.PASSPHRASE, "a passphrase of the drill")
    restored = restoring.restore(made, system.home.parent / "restored")
    assert restored.differing == [(1, "one"), (1, "two")] and not restored.is_whole


def test_what_cannot_be_restored_says_why_and_leaves_nothing(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.night(0)
    before = datetime.now(UTC)
    made = making.make(environment.load(system.home), system.backups)
    target = system.home.parent / "restored"
    with pytest.raises(BackupError, match="没有"):
        restoring.choose(system.backups, before)
    with pytest.raises(BackupError, match="最后归档的日志"):
        restoring.restore(made, target, datetime.now(UTC) + timedelta(days=1))
    assert not target.exists()
    with pytest.raises(BackupError, match="不是空目录"):
        restoring.restore(made, system.home)
    monkeypatch.setenv(sealed.PASSPHRASE, "another passphrase")
    with pytest.raises(BackupError, match="口令不符"):
        restoring.restore(made, target)
    assert not target.exists()


def test_archived_publications_come_back_with_the_rest(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        system.night(number)
    with connect() as connection:
        connection.execute("update ops.history_rule set months = 0")
    assert prune.prune(date(2030, 1, 1)).publications == 3
    told = [reading.published_about("9", number, "key") for number in range(1, 6)]
    made = making.make(environment.load(system.home), system.backups)
    restored = restoring.restore(made, system.home.parent / "restored")
    _use(monkeypatch, restored.home)
    assert [reading.published_about("9", number, "key") for number in range(1, 6)] == told


def test_old_backups_go_with_what_only_they_need(system: System) -> None:
    running = environment.load(system.home)
    for number in range(4):
        system.night(number)
        making.make(running, system.backups)
    kept = restoring.choose(system.backups, None)
    pieces = len(list(kept.wal.glob("*.gz"))) if kept.wal else 0
    assert making.thin_out(system.backups, 1) == 3
    assert [one.folder for one in restoring.manifest.all_in(system.backups)] == [kept.folder]
    assert kept.wal is not None and 0 < len(list(kept.wal.glob("*.gz"))) < pieces
    restored = restoring.restore(kept, system.home.parent / "restored")
    assert restored.is_whole and restored.current == 4


def test_a_server_given_by_url_is_dumped_and_loaded(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        system.night(number)
    running, recorded = environment.load(system.home), system.fingerprints()
    monkeypatch.setattr(environment, "uses_embedded_postgres", lambda home: False)
    made = making.make(running, system.backups)
    assert made.manifest.kind == "dump"
    admin = EmbeddedPostgres(system.home).admin_url()
    names = {"warehouse": create(admin, "template0"), "airflow": create(admin, "template0")}
    urls = {name: admin.rsplit("/", 1)[0] + f"/{database}" for name, database in names.items()}
    restored = restoring.restore(made, system.home.parent / "restored", urls=urls)
    assert restored.is_whole and restored.compared == 4 and restored.missing_files == []
    with psycopg.connect(urls["warehouse"]) as connection:
        assert fingerprint.take(connection) == recorded
    assert _read(urls["airflow"], "select number from dag_run order by 1") == [(0,), (1,)]
    with pytest.raises(BackupError, match="不是空的"):
        restoring.restore(made, system.home.parent / "again", urls=urls)
    with pytest.raises(BackupError, match="只能恢复到制作时刻"):
        restoring.restore(made, system.home.parent / "again", datetime.now(UTC), urls)
    for database in names.values():
        drop(admin, database)


def test_the_commands_say_what_they_did(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.night(0)
    target = system.home.parent / "restored"
    folder = ["--to", str(system.backups)]
    told = CliRunner().invoke(app, ["backup", *folder])
    assert told.exit_code == 0 and "发布批次 1 个" in told.output and "任一时刻" in told.output
    told = CliRunner().invoke(app, ["restore", "--from", str(system.backups), "--into", str(target)])
    assert told.exit_code == 0 and "核对 2 项，不符 0 项" in told.output
    monkeypatch.delenv(sealed.PASSPHRASE)
    told = CliRunner().invoke(app, ["backup", *folder])
    assert told.exit_code == 1 and sealed.PASSPHRASE in told.output
    assert len(list(system.backups.glob("*/manifest.json"))) == 1
