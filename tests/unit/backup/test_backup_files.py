"""What is stored once, told apart, opened and refused; without a database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credit_warehouse.backup import files, sealed
from credit_warehouse.backup.errors import BackupError
from credit_warehouse.runtime.wal import archive_settings

SECRETS = {"CREDIT_PEPPER": "胡椒", "AIRFLOW__CORE__FERNET_KEY": "x'y"}


def test_secrets_open_with_their_passphrase_only() -> None:
    text = sealed.seal(SECRETS, "correct horse battery")
    assert "胡椒" not in text
    assert sealed.open_sealed(text, "correct horse battery") == SECRETS
    with pytest.raises(BackupError, match="口令不符"):
        sealed.open_sealed(text, "correct horse batterz")


@pytest.mark.parametrize("phrase", [None, "", "short"])
def test_no_backup_without_a_passphrase_worth_the_name(
    monkeypatch: pytest.MonkeyPatch, phrase: str | None
) -> None:
    monkeypatch.delenv(sealed.PASSPHRASE, raising=False)
    if phrase is not None:
        monkeypatch.setenv(sealed.PASSPHRASE, phrase)
    with pytest.raises(BackupError, match="分开保管"):
        sealed.passphrase()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, content in {"landing/a/1.csv": "x", "landing/b/2.csv": "x", "logs/task.log": "begun"}.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "home"


def test_equal_contents_are_stored_once_and_come_back(home: Path, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    stored = files.store(home, objects, [])
    assert len(stored) == 3 and len(list(objects.glob("*/*"))) == 2
    files.bring_back(stored, objects, tmp_path / "new")
    for path in ("landing/a/1.csv", "landing/b/2.csv", "logs/task.log"):
        assert (tmp_path / "new" / path).read_bytes() == (home / path).read_bytes()
        assert (tmp_path / "new" / path).stat().st_mtime_ns == (home / path).stat().st_mtime_ns


def test_a_changed_file_is_another_content_and_the_old_backup_keeps_its_own(
    home: Path, tmp_path: Path
) -> None:
    objects = tmp_path / "objects"
    first = files.store(home, objects, [])
    (home / "logs/task.log").write_text("ended")
    second = files.store(home, objects, first)
    files.bring_back(first, objects, tmp_path / "old")
    files.bring_back(second, objects, tmp_path / "new")
    assert (tmp_path / "old/logs/task.log").read_text() == "begun"
    assert (tmp_path / "new/logs/task.log").read_text() == "ended"
    assert files.forget(objects, {file.sha256 for file in second}) == 1


def test_a_damaged_content_is_not_brought_back(home: Path, tmp_path: Path) -> None:
    stored = files.store(home, tmp_path / "objects", [])
    broken = tmp_path / "objects" / stored[0].sha256[:2] / stored[0].sha256
    os.truncate(broken, 0)
    with pytest.raises(BackupError, match="损坏"):
        files.bring_back(stored, tmp_path / "objects", tmp_path / "new")


def test_a_folder_no_shell_can_be_told_of_is_refused() -> None:
    with pytest.raises(ValueError, match="single quote"):
        archive_settings(Path("/srv/it's"))
