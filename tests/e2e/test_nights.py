"""The demo and three further nights through the real scheduler, as a user runs them from the shell.

One city, in order: the first night equals the answer key; the tax API is down on the second and made good; the gate
stops the third; the fourth publishes what the third left over.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from credit_warehouse.contracts import load_contracts
from credit_warehouse.runtime import environment
from simulator import answer_key
from simulator.client import Client

FIRST, TAX_DOWN, GATE_FAILS, AFTER = (date(2026, 3, day) for day in (2, 3, 4, 5))


class System:
    """A whole system in a folder of its own, driven by the command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = str(probe.getsockname()[1])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CREDIT_")}
        return subprocess.run(
            [str(Path(sys.executable).with_name("credit-warehouse")), *words],
            env={**inherited, "CREDIT_HOME": str(self.home), "CREDIT_AIRFLOW_PORT": self._port, "CI": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def ok(self, *words: str) -> str:
        finished = self.run(*words)
        assert finished.returncode == 0, finished.stdout
        return finished.stdout

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        url = environment.load(self.home)["CREDIT_DATABASE_URL"]
        with psycopg.connect(url) as connection:
            cursor = connection.execute(statement, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @property
    def departments(self) -> Client:
        return Client.of(self.home / "simulator")

    def key(self, night: date) -> answer_key.NightKey:
        return answer_key.load_night(self.home / "simulator", night)

    def current(self) -> tuple[int, date]:
        (row,) = self.rows(
            "select publication_id, business_date from ops.current_publication join ops.publication using (publication_id)"
        )
        return row[0], row[1]

    def ledger(self, night: date) -> dict[str, tuple[int, int, int]]:
        return {
            feed: (delivered, accepted, rejected)
            for feed, delivered, accepted, rejected in self.rows(
                "select feed, sum(delivered_rows)::int, sum(accepted_rows)::int,"
                " sum(quarantined_rows + refused_rows)::int from ops.batch where delivered_for = %s group by feed",
                night,
            )
        }

    def promised(self, night: date) -> dict[str, tuple[int, int, int]]:
        return {feed: (n.delivered, n.accepted, n.quarantined) for feed, n in self.key(night).feeds.items()}

    def marts(self) -> dict[str, tuple[Any, ...]]:
        """A digest of everything the current publication holds, by mart; what readers see of it shrinks as days pass."""
        names = self.rows(
            "select relname from pg_class where relnamespace = 'mart_store'::regnamespace and relkind = 'r' order by 1"
        )
        number, _ = self.current()
        return {
            name: self.rows(
                "select count(*), md5(string_agg(held, chr(10) order by held)) from ("
                " select (to_jsonb(m) - 'valid_from_publication' - 'valid_to_publication')::text as held"
                f" from mart_store.{name} as m where valid_from_publication <= %s"
                " and coalesce(valid_to_publication > %s, true)) as rows_held",
                number,
                number,
            )[0]
            for (name,) in names
        }

    def assert_core_is_the_truth_of(self, night: date) -> None:
        found = {
            feed: (live, withdrawn)
            for feed, live, withdrawn in self.rows(
                "select feed, count(*) filter (where status <> 'withdrawn'), count(*) filter (where status = 'withdrawn')"
                " from core.credit_record group by feed"
            )
        }
        truths = self.key(night).truth.items()
        assert found == {feed: (truth.live, truth.withdrawn) for feed, truth in truths if feed in OF_RECORDS}


OF_RECORDS = {feed for feed, contract in load_contracts().items() if contract.terms.record}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    found = System(tmp_path_factory.mktemp("system"))
    yield found
    found.ok("clean")


def test_the_demo_ends_with_a_publication_equal_to_the_answer_key(system: System) -> None:
    output = system.ok("demo")
    assert "answer key" in output
    assert system.ledger(FIRST) == system.promised(FIRST)
    assert system.current()[1] == FIRST
    system.assert_core_is_the_truth_of(FIRST)
    for name in ("subject_credit_profile", "credit_record", "department_coverage_daily"):
        assert system.rows(f"select count(*) > 0 from mart.{name}") == [(True,)]
    coverage = system.rows(
        "select feed, delivered_rows, accepted_rows, rejected_rows, matched_rows from mart.department_coverage_daily"
        " where business_date = %s",
        FIRST,
    )
    assert {row[0]: row[1:4] for row in coverage} == system.promised(FIRST)
    assert {row[0]: row[4] for row in coverage if row[0] in OF_RECORDS} == {
        feed: night.matched for feed, night in system.key(FIRST).feeds.items() if feed in OF_RECORDS
    }


def test_a_second_demo_changes_nothing(system: System) -> None:
    before = (system.rows("select * from ops.batch order by 1"), system.current(), system.marts())
    system.ok("demo")
    assert (system.rows("select * from ops.batch order by 1"), system.current(), system.marts()) == before


def test_a_night_with_the_tax_api_down_publishes_without_it_and_again_when_it_is_back(system: System) -> None:
    system.departments.fault("down", source="tax")
    system.ok("nightly", TAX_DOWN.isoformat())
    without = system.current()
    assert without[1] == TAX_DOWN
    promised = system.promised(TAX_DOWN)
    found = system.ledger(TAX_DOWN)
    assert found == {feed: counts for feed, counts in promised.items() if not feed.startswith("tax.")}
    answers = dict(
        system.rows(
            "select feed, answer_state from mart.department_coverage_daily where business_date = %s", TAX_DOWN
        )
    )
    assert {feed for feed, state in answers.items() if state == "late"} == {
        feed for feed in promised if feed.startswith("tax.")
    }

    system.departments.clear("tax")
    system.ok("nightly", TAX_DOWN.isoformat(), "--source", "tax")
    assert system.current()[0] > without[0]
    assert system.ledger(TAX_DOWN) == promised
    system.assert_core_is_the_truth_of(TAX_DOWN)


def test_a_failing_gate_leaves_the_last_publication_and_says_why(system: System) -> None:
    before = (system.current(), system.marts())
    system.rows(
        "insert into ops.gate_parameter (name, scope, value, unit, source, valid_from, valid_to)"
        " values ('max_row_rise_share', 'queryable_credit_record', 0.0001, 'share', '演示：收紧增幅', %s, %s)",
        GATE_FAILS,
        GATE_FAILS,
    )
    output = system.ok("nightly", GATE_FAILS.isoformat())
    assert "publication.queryable_credit_record.row_count" in output
    assert (system.current(), system.marts()) == before
    assert system.ledger(GATE_FAILS) == system.promised(GATE_FAILS), "intake went on"
    (state, message), *_ = system.rows(
        "select state, message from ops.publication order by publication_id desc"
    )
    assert state == "discarded" and message
    told = system.rows(
        "select message, next_steps from ops.gate_result where gate = 'publication' and state = 'failed'"
    )
    assert told and all(message and steps for message, steps in told)


def test_the_next_night_publishes_what_the_failed_one_left(system: System) -> None:
    system.ok("nightly", AFTER.isoformat())
    assert system.current()[1] == AFTER
    assert system.ledger(AFTER) == system.promised(AFTER)
    system.assert_core_is_the_truth_of(AFTER)


def test_rollback_and_a_full_rebuild_give_what_was_there(system: System) -> None:
    published = system.marts()
    number, _ = system.current()
    system.ok("publish", "--rollback", "--reason", "演练")
    assert system.current()[0] < number
    assert system.marts() != published
    system.ok("publish", "--rollback", "--to", str(number), "--reason", "演练结束")
    assert system.marts() == published
    system.ok("publish", "--date", AFTER.isoformat(), "--full-refresh")
    assert system.current()[0] > number
    rebuilt = system.marts()
    changed = {mart for mart in rebuilt if rebuilt[mart] != published[mart]}
    assert changed <= {"exchange_status"}, (
        "row for row what four nights built, and what the province said since"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("feeds",),
        ("batches",),
        ("batches", "--feed", "court.judgment_enforcement"),
        ("quarantine",),
        ("quarantine", "--rows"),
        ("publications",),
        ("doctor",),
        ("status",),
    ],
)
def test_the_command_line_shows_it(system: System, words: tuple[str, ...]) -> None:
    assert len(system.ok(*words).splitlines()) > 3
