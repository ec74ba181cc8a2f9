"""A whole system in a folder of its own, as a user runs it from the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from credit_warehouse.contracts import load_contracts
from credit_warehouse.runtime import embedded, environment, ports
from simulator import answer_key
from simulator.client import Client


class System:
    """A whole system in a folder of its own, driven by the command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._ports = {"CREDIT_AIRFLOW_PORT": str(ports.reserve()), embedded.PORT: str(ports.reserve())}

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start the command and go on."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CREDIT_")}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("credit-warehouse")), *words],
            env={**inherited, "CREDIT_HOME": str(self.home), **self._ports, "CI": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        started = self.begin(*words)
        output, _ = started.communicate()
        return subprocess.CompletedProcess(words, started.returncode, output)

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
