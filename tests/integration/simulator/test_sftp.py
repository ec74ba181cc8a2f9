"""Court and market regulation, spoken to with paramiko."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest
from openpyxl import load_workbook

from simulator.config import Sftp
from simulator.feeds import FEEDS, feeds_of
from simulator.testing import RunningSimulator
from tests.integration.simulator.conftest import MONDAY, TUESDAY

Connect = Callable[[Sftp], paramiko.SFTPClient]
Start = Callable[..., RunningSimulator]
FILES_ONLY = ("court", "market_regulation", "data_administration")


def _read(client: paramiko.SFTPClient, path: str) -> bytes:
    with client.open(path, "rb") as file:
        return file.read()


def test_court_zip_is_what_its_manifest_says(start: Start, sftp: Connect) -> None:
    simulator = start(sources=FILES_ONLY)
    key = simulator.advance(MONDAY)
    client = sftp(simulator.config.court)
    feed = FEEDS["court.dishonest_judgment_debtor"]
    archive = zipfile.ZipFile(io.BytesIO(_read(client, f"/outbox/20260302/{feed.id}_20260302.zip")))
    manifest = json.loads(archive.read("manifest.json"))
    content = archive.read(f"{feed.name}.csv")
    rows = list(csv.reader(io.StringIO(content.decode("gb18030"), newline="")))
    assert manifest == {
        "feed": feed.id,
        "business_date": "2026-03-02",
        "files": [
            {"name": f"{feed.name}.csv", "rows": len(rows) - 1, "sha256": hashlib.sha256(content).hexdigest()}
        ],
    }
    assert rows[0] == [f.header for f in feed.fields]
    assert len(rows) - 1 == key.feeds[feed.id].delivered
    assert content.count(b"\r\n") >= len(rows)


def test_market_files_have_their_checksum_beside_them(start: Start, sftp: Connect, tmp_path: Path) -> None:
    simulator = start(sources=FILES_ONLY)
    key = simulator.advance(TUESDAY)
    client = sftp(simulator.config.market_regulation)
    names = sorted(client.listdir("/drop/20260303"))
    files = [name for name in names if not name.endswith(".sha256")]
    assert len(files) == len(feeds_of("market_regulation"))
    assert names == sorted(files + [f"{name}.sha256" for name in files])
    for name in files:
        content = _read(client, f"/drop/20260303/{name}")
        digest, stated = _read(client, f"/drop/20260303/{name}.sha256").decode().split()
        assert (digest, stated) == (hashlib.sha256(content).hexdigest(), name)
    penalties = "market_regulation.administrative_penalty"
    book = load_workbook(io.BytesIO(_read(client, f"/drop/20260303/{penalties}_20260303.xlsx")))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert list(rows[0]) == [f.header for f in FEEDS[penalties].fields]
    assert len(rows) - 1 == key.feeds[penalties].delivered
    registrations = _read(client, "/drop/20260303/market_regulation.enterprise_registration_20260303.csv")
    assert registrations.startswith(b"\xef\xbb\xbf")


def test_reader_sees_its_folder_only_and_changes_nothing(start: Start, sftp: Connect, tmp_path: Path) -> None:
    simulator = start(sources=FILES_ONLY)
    simulator.advance(MONDAY)
    client = sftp(simulator.config.court)
    assert client.listdir("/") == client.listdir("/../..") == ["outbox"]
    with pytest.raises(FileNotFoundError):
        client.stat("/../simulator.json")
    (tmp_path / "x").write_text("x")
    for attempt in (
        lambda: client.put(str(tmp_path / "x"), "/x"),
        lambda: client.mkdir("/new"),
        lambda: client.remove("/outbox/20260302/court.judgment_enforcement_20260302.zip"),
        lambda: client.rename("/outbox", "/away"),
        lambda: client.chmod("/outbox", 0o777),
        lambda: client.symlink("/etc", "/outbox/etc"),
    ):
        with pytest.raises(PermissionError):
            attempt()


def test_only_its_own_user_with_its_password_gets_in(start: Start, sftp: Connect) -> None:
    config = start(sources=FILES_ONLY).config
    for user, password in (
        (config.court.user, "wrong"),
        (config.market_regulation.user, config.market_regulation.password),
    ):
        with pytest.raises(paramiko.AuthenticationException):
            sftp(config.court.model_copy(update={"user": user, "password": password}))


def test_host_key_is_the_one_in_the_configuration(start: Start) -> None:
    config = start(sources=FILES_ONLY).config
    with paramiko.Transport(("127.0.0.1", config.court.port)) as transport:
        transport.start_client(timeout=10)
        key = transport.get_remote_server_key()
        assert f"{key.get_name()} {key.get_base64()}" == config.court.host_key


def test_court_down_refuses_and_comes_back_on_its_port(start: Start, sftp: Connect) -> None:
    simulator = start(sources=FILES_ONLY)
    simulator.advance(MONDAY)
    open_session = sftp(simulator.config.court)
    simulator.client.fault("down", source="court")
    with pytest.raises((paramiko.SSHException, OSError, EOFError)):
        open_session.listdir("/")
    with pytest.raises((paramiko.SSHException, OSError)):
        sftp(simulator.config.court)
    assert sftp(simulator.config.market_regulation).listdir("/") == ["drop"]
    simulator.client.clear("court")
    assert sftp(simulator.config.court).listdir("/outbox") == ["20260302"]


def test_dropped_connection_breaks_one_download(start: Start, sftp: Connect, tmp_path: Path) -> None:
    simulator = start(sources=FILES_ONLY)
    simulator.advance(MONDAY)
    path = "/outbox/20260302/court.dishonest_judgment_debtor_20260302.zip"
    simulator.client.fault("drop_connection", feed="court.dishonest_judgment_debtor")
    with pytest.raises((paramiko.SSHException, OSError, EOFError)):
        sftp(simulator.config.court).get(path, str(tmp_path / "broken.zip"))
    sftp(simulator.config.court).get(path, str(tmp_path / "whole.zip"))
    assert zipfile.ZipFile(tmp_path / "whole.zip").testzip() is None
