"""The whole process: start, advance, faults on files, restart, stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from simulator import answer_key, config
from simulator.client import Client, SimulatorError
from simulator.defects import DEBTORS, PENALTIES, REGISTRATIONS
from simulator.office import taken_together
from simulator.testing import RunningSimulator, running
from tests.integration.simulator.conftest import MONDAY, SMALL, TUESDAY, WEDNESDAY

Start = Callable[..., RunningSimulator]
FILES_ONLY = ("court", "market_regulation", "data_administration")
PROJECT = Path(__file__).resolve().parents[3]


def _tree(home: Path) -> dict[str, bytes]:
    roots = (home / "court", home / "market_regulation", home / "data_administration", home / "answer_keys")
    return {
        str(p.relative_to(home)): p.read_bytes() for root in roots for p in root.rglob("*") if p.is_file()
    }


def test_restart_carries_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    with running(tmp_path / "a", config=SMALL, sources=FILES_ONLY) as straight:
        straight.advance(WEDNESDAY)
    with running(tmp_path / "b", config=SMALL, sources=FILES_ONLY) as first:
        first.advance(MONDAY)
        ports = first.client.state()["ports"]
    with running(tmp_path / "b", sources=FILES_ONLY) as second:
        assert second.client.state()["ports"] == ports
        assert second.client.state()["generated_through"] == "2026-03-02"
        second.advance(WEDNESDAY)
        assert second.client.advance(TUESDAY)["generated"] == []
    assert _tree(tmp_path / "a") == _tree(tmp_path / "b")


def test_configuration_is_kept_private_and_a_part_of_it_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text('{"seed": 5, "court": {"password": "given"}}')
    made = config.ensure(tmp_path, seed=9)
    assert (made.seed, made.court.password, made.court.user) == (5, "given", "court")
    assert config.ensure(tmp_path) == made == config.read(tmp_path)
    assert stat.S_IMODE((tmp_path / "simulator.json").stat().st_mode) == 0o600


def test_file_faults_strike_once_and_are_repaired(start: Start) -> None:
    simulator = start(sources=FILES_ONLY)
    client = simulator.client
    client.fault("truncated", feed=DEBTORS)
    client.fault("not_delivered", feed=PENALTIES)
    client.fault("missing_manifest", feed=REGISTRATIONS)
    simulator.advance(TUESDAY)
    outbox, drop = simulator.home / "court/outbox", simulator.home / "market_regulation/drop"
    spoilt = outbox / "20260302" / f"{DEBTORS}_20260302.zip"
    assert not zipfile.is_zipfile(spoilt)
    assert zipfile.is_zipfile(outbox / "20260303" / f"{DEBTORS}_20260303.zip")
    penalties = drop / "20260302" / f"{PENALTIES}_20260302.xlsx"
    assert not penalties.exists()
    assert not (drop / "20260302" / f"{REGISTRATIONS}_20260302.csv.sha256").exists()
    assert {(hit["feed"], hit["kind"]) for hit in client.state()["spoilt"]} == {
        (DEBTORS, "truncated"),
        (PENALTIES, "not_delivered"),
        (REGISTRATIONS, "missing_manifest"),
    }
    for feed in (DEBTORS, PENALTIES, REGISTRATIONS):
        client.redeliver(feed, MONDAY)
    assert zipfile.is_zipfile(spoilt)
    assert penalties.exists()
    assert client.state()["spoilt"] == []


def test_faults_do_not_change_the_city(start: Start, tmp_path: Path) -> None:
    right = start(tmp_path / "right", sources=FILES_ONLY).advance(TUESDAY)
    simulator = start(tmp_path / "wrong", sources=FILES_ONLY)
    simulator.client.fault("one_row", feed=REGISTRATIONS)
    simulator.client.fault("down", source="court")
    assert simulator.advance(TUESDAY) == right


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "explode", "source": "tax"},
        {"kind": "truncated", "source": "court"},
        {"kind": "truncated", "feed": "tax.tax_arrears"},
        {"kind": "zip_bomb", "feed": "court.nothing"},
        {"kind": "token_expiry", "source": "court"},
        {"kind": "down", "source": "police"},
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_words(start: Start, wish: dict[str, str]) -> None:
    client = start(sources=FILES_ONLY).client
    with pytest.raises(SimulatorError, match=r"kind|feed|source|strike|deliver"):
        client.fault(wish["kind"], source=wish.get("source"), feed=wish.get("feed"))
    assert client.state()["armed"] == []


def test_only_what_was_generated_can_be_sent_again(start: Start) -> None:
    client = start(sources=()).client
    with pytest.raises(SimulatorError, match="no feed"):
        client.redeliver("court.nothing", MONDAY)
    with pytest.raises(SimulatorError, match="not been generated"):
        client.redeliver(DEBTORS, MONDAY)


def test_control_asks_for_its_token(start: Start) -> None:
    simulator = start(sources=())
    stranger = Client("127.0.0.1", simulator.config.control.port, "guess")
    with pytest.raises(SimulatorError, match="token"):
        stranger.advance(MONDAY)


def test_nights_taken_together_count_earlier_versions_as_duplicates(start: Start) -> None:
    simulator = start(sources=())
    simulator.advance(WEDNESDAY)
    feed = "tax.tax_arrears"
    nights = [simulator.key(day).feeds[feed] for day in (TUESDAY, WEDNESDAY)]
    alone = taken_together(simulator.config, feed, TUESDAY, TUESDAY)
    assert (alone.delivered, alone.accepted, alone.rules) == (
        nights[0].delivered,
        nights[0].accepted,
        nights[0].rules,
    )
    assert alone.planted == nights[0].planted
    both = taken_together(simulator.config, feed, TUESDAY, WEDNESDAY)
    assert both.delivered == sum(night.delivered for night in nights)
    assert both.delivered == both.accepted + both.quarantined
    assert both.rules["duplicate_key"] >= 4


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "simulator", "serve", "--home", str(tmp_path), "--enterprises", "200"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CREDIT_")}
    with subprocess.Popen(
        [*command, "--through", "2026-03-02"], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    ) as started:
        yield started
        started.kill()


def test_command_line_serves_advances_and_stops_cleanly(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "simulator", *arguments, "--home", str(tmp_path)]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)

    assert '"2026-03-03"' in call("advance", "2026-03-03").stdout
    assert call("fault", "down", "--source", "tax").returncode == 0
    assert '"down"' in call("state").stdout
    refused = call("advance", "yesterday")
    assert refused.returncode == 2
    assert "not a date" in refused.stderr
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    unreachable = call("state")
    assert unreachable.returncode == 1
    assert "serve" in unreachable.stderr
    assert answer_key.load_night(tmp_path, date(2026, 3, 3)).business_date == date(2026, 3, 3)
