"""runtime.env: secrets are made once, the rest follows, the real environment wins."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from credit_warehouse.runtime import envfile, environment

EXTERNAL = {
    "CREDIT_DATABASE_URL": "postgresql://warehouse:w@db:5432/credit",
    "CREDIT_AIRFLOW_DATABASE_URL": "postgresql://airflow:a@db:5432/airflow",
}


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CREDIT_DATABASE_URL", "CREDIT_AIRFLOW_PASSWORD", "AIRFLOW__CORE__PARALLELISM"):
        monkeypatch.delenv(name, raising=False)


def test_a_second_start_keeps_secrets_and_ports(tmp_path: Path) -> None:
    first = environment.prepare(tmp_path)
    assert dict(environment.prepare(tmp_path).values) == dict(first.values)
    assert dict(environment.load(tmp_path).values) == dict(first.values)


def test_secrets_differ_between_homes_and_are_for_the_owner_only(tmp_path: Path) -> None:
    one, other = environment.prepare(tmp_path / "one"), environment.prepare(tmp_path / "other")
    for name in ("CREDIT_PEPPER", "CREDIT_WAREHOUSE_PASSWORD", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert one[name] != other[name]
    assert stat.S_IMODE((tmp_path / "one" / "runtime.env").stat().st_mode) == 0o600


def test_nothing_was_set_up_yet(tmp_path: Path) -> None:
    with pytest.raises(environment.EnvironmentMissing, match="make up"):
        environment.load(tmp_path)


def test_what_is_found_out_later_is_kept(tmp_path: Path) -> None:
    connection = json.dumps(
        {"conn_type": "sftp", "host": "127.0.0.1", "extra": {"host_key": "ssh-ed25519 AAA="}}
    )
    environment.prepare(tmp_path, {"AIRFLOW_CONN_COURT": connection})
    assert environment.prepare(tmp_path)["AIRFLOW_CONN_COURT"] == connection


def test_an_emptied_secret_or_port_is_made_anew(tmp_path: Path) -> None:
    before = environment.prepare(tmp_path)
    after = environment.prepare(tmp_path, {"CREDIT_AIRFLOW_PASSWORD": ""})
    assert after["CREDIT_AIRFLOW_PASSWORD"] not in {"", before["CREDIT_AIRFLOW_PASSWORD"]}
    assert after["CREDIT_PEPPER"] == before["CREDIT_PEPPER"]


def test_the_real_environment_wins_and_is_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "99")
    assert environment.prepare(tmp_path)["AIRFLOW__CORE__PARALLELISM"] == "99"
    assert envfile.read(tmp_path / "runtime.env")["AIRFLOW__CORE__PARALLELISM"] != "99"


def test_another_server_means_no_embedded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EXTERNAL.items():
        monkeypatch.setenv(name, value)
    prepared = environment.prepare(tmp_path)
    assert not environment.uses_embedded_postgres(tmp_path)
    assert prepared["CREDIT_DATABASE_URL"] == EXTERNAL["CREDIT_DATABASE_URL"]
    assert (
        prepared["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://airflow:a@db:5432/airflow"
    )
    assert not (tmp_path / "postgres.json").exists()


def test_one_url_of_another_server_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.ADMIN_URL, "postgresql://postgres:secret@db.example:6432/postgres")
    prepared = environment.prepare(tmp_path)
    assert not environment.uses_embedded_postgres(tmp_path)
    for name, database in (
        ("CREDIT_DATABASE_URL", "credit"),
        ("CREDIT_AIRFLOW_DATABASE_URL", "airflow"),
        ("CREDIT_EXCHANGE_ADMIN_URL", "exchange"),
    ):
        assert prepared[name].endswith(f"@db.example:6432/{database}")
        assert "secret" not in prepared[name], "the superuser makes the databases and is not used after that"


def test_another_server_needs_a_database_for_airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_DATABASE_URL", EXTERNAL["CREDIT_DATABASE_URL"])
    monkeypatch.delenv("CREDIT_AIRFLOW_DATABASE_URL", raising=False)
    with pytest.raises(environment.EnvironmentMissing, match="CREDIT_AIRFLOW_DATABASE_URL"):
        environment.prepare(tmp_path)


def test_a_shell_that_sourced_the_file_still_means_the_embedded_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = environment.prepare(tmp_path)
    monkeypatch.setenv("CREDIT_DATABASE_URL", prepared["CREDIT_DATABASE_URL"])
    assert environment.uses_embedded_postgres(tmp_path)


def test_a_process_finds_our_programs_and_the_project(tmp_path: Path) -> None:
    variables = environment.prepare(tmp_path).for_process()
    assert variables["PYTHONPATH"] == str(environment.PROJECT_DIR)
    assert variables["CREDIT_HOME"] == str(tmp_path)
    assert variables["DO_NOT_TRACK"] == "1"


@pytest.mark.parametrize("value", ["a b", "0 1 * * *", '{"a": "汉"}', "x#y", "$HOME", ""])
def test_env_files_give_back_what_was_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "x.env"
    envfile.write(file, [("a comment", {"NAME": value, "LAST": "1"})])
    assert envfile.read(file) == {"NAME": value, "LAST": "1"}


@pytest.mark.parametrize("value", ["two\nlines", "it's"])
def test_env_files_refuse_what_no_reader_agrees_on(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="must not contain"):
        envfile.write(tmp_path / "x.env", [("", {"NAME": value})])
