"""Many nights in a row: does anything grow that should not? The city grows by what each night delivers, nothing else may.

Each night the departments deliver (in a process of their own), their feeds are taken in, the publication is built by dbt,
judged and flipped, and history is archived by the rules, as in Airflow. After each night: wall time of each step, memory of
this process, disk, and dead rows, table by table.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psutil
import psycopg

from bench.harness import machine, save, table
from bench.warehouse import warehouse
from credit_warehouse import pipeline
from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from simulator import config as configuration
from simulator.city import FIRST_NIGHT
from simulator.client import Client, SimulatorError

_EDGE = 10
"""Nights at each end that are compared; the first few, which fill an empty warehouse, are left out."""
_WARM_UP = 3


@dataclass
class Night:
    """What one night cost and left. Seconds; MiB; rows."""

    day: date
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0
    memory_mb: float = 0
    disk: dict[str, float] = field(default_factory=dict)
    landing_mb: float = 0
    rows: int = 0
    dead_share: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@contextmanager
def departments(home: Path, exchange_url: str, persons: int, enterprises: int) -> Iterator[Client]:
    """The simulator in a process of its own."""
    configuration.ensure(home, persons=persons, enterprises=enterprises)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "simulator",
            "serve",
            "--home",
            str(home),
            "--through",
            FIRST_NIGHT.isoformat(),
        ],
        env={**os.environ, "CREDIT_SIMULATOR_EXCHANGE_URL": exchange_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = Client.of(home)
        while True:
            try:
                client.state()
                break
            except SimulatorError:
                if process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield client
    finally:
        process.terminate()
        process.wait()


def endpoints(home: Path, exchange_url: str) -> dict[str, Endpoint]:
    """How to reach each department."""
    config = configuration.read(home)
    server = psycopg.conninfo.conninfo_to_dict(exchange_url)
    sftp = {
        source: Endpoint("sftp", config.host, at.port, at.user, at.password, {"host_key": at.host_key})
        for source, at in config.sftp.items()
    }
    return {
        **sftp,
        "tax": Endpoint("http", config.host, config.tax.port, config.tax.client_id, config.tax.client_secret),
        "social_security": Endpoint(
            "postgres",
            str(server["host"]),
            int(str(server["port"])),
            config.exchange.user,
            config.exchange.password,
            {"database": str(server["dbname"])},
        ),
    }


def run_night(day: date, reach: dict[str, Endpoint]) -> Night:
    """Intake of every source, publication, archive; the seconds of each."""
    night, cpu = Night(day), _cpu_seconds()

    def timed(step: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        night.seconds[step] = time.perf_counter() - started

    def intake() -> None:
        contracts = load_contracts().values()
        for source in sorted({contract.source for contract in contracts}):
            for contract in contracts:
                if contract.source == source:
                    try:
                        pipeline.pull(contract.feed, day, reach[source])
                    except SourceUnavailable:
                        continue
                    pipeline.load(contract.feed, day)
            pipeline.gate(source, day)
            pipeline.settle(source, day)

    timed("intake", intake)
    candidate = pipeline.open_candidate(day)
    assert candidate is not None
    timed("core", lambda: pipeline.build("core", candidate))
    timed("marts", lambda: pipeline.build("marts", candidate))
    timed("gate", lambda: pipeline.gate_publication(candidate))
    timed("publish", lambda: pipeline.publish(candidate))
    timed("prune", lambda: pipeline.prune_history(day))
    night.cpu_seconds = _cpu_seconds() - cpu
    return night


def _cpu_seconds() -> float:
    """Of this process and of the dbt processes it has waited for; the server's are not among them."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(night: Night, home: Path) -> None:
    """Memory, disk and dead rows as the night left them."""
    night.memory_mb = psutil.Process().memory_info().rss / 2**20
    night.landing_mb = (
        sum(path.stat().st_size for path in (home / "landing").rglob("*") if path.is_file()) / 2**20
    )
    with connect() as connection:
        for schema, megabytes in connection.execute(
            "select relnamespace::regnamespace::text, sum(pg_total_relation_size(oid)) / 1048576.0 from pg_class"
            " where relkind = 'r' and relnamespace::regnamespace::text = any(%s) group by 1",
            [["raw", "accepted", "quarantine", "vault", "core", "mart_store", "ops", "pg_catalog"]],
        ).fetchall():
            night.disk[schema] = float(megabytes)
        # Counted in the tables, not estimated: what autovacuum has not yet taken, and free space it left.
        for relation, size, share in connection.execute(
            "select oid::regclass::text, pg_relation_size(oid), stat.dead_tuple_percent + stat.free_percent"
            " from pg_class cross join lateral pgstattuple(oid) as stat where relkind = 'r'"
            " and relnamespace::regnamespace::text = any(%s) and pg_relation_size(oid) > 1048576",
            [["core", "mart_store", "ops", "pg_catalog", "vault"]],
        ).fetchall():
            night.dead_share[f"{relation} ({size / 2**20:.0f} MB)"] = float(share)
        row = connection.execute("select count(*) from mart_store.queryable_credit_record").fetchone()
        assert row is not None
        night.rows = row[0]


def report(nights: list[Night], persons: int, enterprises: int) -> str:
    settled = nights[_WARM_UP:]
    edge = min(_EDGE, len(settled) // 2)
    first, last = settled[:edge], settled[-edge:]

    def line(name: str, value: Callable[[Night], float], digits: int = 1) -> list[str]:
        before = statistics.median(value(night) for night in first)
        after = statistics.median(value(night) for night in last)
        ratio = f"{after / before:.2f}" if before else "–"
        return [name, f"{before:.{digits}f}", f"{after:.{digits}f}", ratio]

    lines = [line("night, s", lambda night: night.total)]
    lines += [line("night, CPU s of our processes", lambda night: night.cpu_seconds)]
    lines += [
        line(f"· {step}, s", lambda night, step=step: night.seconds[step], 2)  # type: ignore[misc]
        for step in nights[0].seconds
    ]
    lines += [line("memory of the process, MB", lambda night: night.memory_mb, 0)]
    lines += [line("row versions of records", lambda night: night.rows, 0)]
    lines += [
        line(f"disk {schema}, MB", lambda night, schema=schema: night.disk[schema])  # type: ignore[misc]
        for schema in sorted(nights[-1].disk)
    ]
    lines += [line("landed files, MB", lambda night: night.landing_mb)]
    bloat = sorted(nights[-1].dead_share.items(), key=lambda item: -item[1])[:12]
    each = [
        [number, f"{night.total:.1f}", f"{night.cpu_seconds:.1f}", f"{night.memory_mb:.0f}",
         f"{sum(night.disk.values()):.1f}", f"{night.landing_mb:.1f}"]
        for number, night in enumerate(nights, 1)
    ]  # fmt: skip
    return "\n\n".join(
        [
            "# Soak",
            f"{len(nights)} nights in a row, {persons:,} persons and {enterprises:,} enterprises; {machine()}, load in the end {os.getloadavg()[2]:.0f}. Medians of the"
            f" first {edge} nights after {_WARM_UP} to warm up, and of the last {edge}.",
            table(["measure", "first", "last", "ratio"], lines),
            "Share of dead rows and free space in tables over 1 MB after the last night:",
            table(["table", "%"], [[name, f"{share:.0f}"] for name, share in bloat]),
            "## Each night",
            table(["night", "wall s", "CPU s", "memory MB", "disk MB", "landed files MB"], each),
        ]
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--persons", type=int, default=500)
    parser.add_argument("--enterprises", type=int, default=800)
    parser.add_argument("--save-as", default="soak", help="name of the report")
    arguments = parser.parse_args(argv)
    nights: list[Night] = []
    with warehouse() as url:
        home = Path(os.environ["CREDIT_HOME"])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create database exchange")
            connection.execute("create extension pgstattuple")
        exchange_url = url.rsplit("/", 1)[0] + "/exchange"
        with departments(
            home / "simulator", exchange_url, arguments.persons, arguments.enterprises
        ) as client:
            reach = endpoints(home / "simulator", exchange_url)
            for number in range(arguments.nights):
                day = FIRST_NIGHT + timedelta(days=number)
                client.advance(day)
                night = run_night(day, reach)
                measure(night, home)
                nights.append(night)
                if len(nights) > _WARM_UP + 2:
                    save(arguments.save_as, report(nights, arguments.persons, arguments.enterprises))
                steps = " ".join(f"{step} {seconds:.1f}" for step, seconds in night.seconds.items())
                print(
                    f"{day} {night.total:.1f} s ({steps}) {night.memory_mb:.0f} MB, disk {sum(night.disk.values()):.0f} MB",
                    file=sys.stderr,
                    flush=True,
                )


if __name__ == "__main__":
    main()
