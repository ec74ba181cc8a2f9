"""What readers wait for: a subject's report, an old publication, a department's month, and the moment of publishing.

Real clients (psycopg, a login of the role ``credit_analyst``), in processes of their own. *paced*: each client pauses between
questions as a person or a counter's program does; *saturated*: it asks without pause, so that the wait is that of a queue
of so many for the cores there are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.city import City, write_deliveries
from bench.harness import machine, percentile, python, save, table
from bench.published_city import published_city
from credit_warehouse import publication
from credit_warehouse.database import connect

LOGIN, PASSWORD = "bench_reader", "reader"
PROCESSES = 4
GOALS = {"report": 20, "report as of": 50, "department's month": 200}
"""p99 with 32 clients, ms."""

_REPORT = (
    "select * from mart.subject_credit_profile where subject_key = %(subject)s",
    "select * from mart.queryable_credit_record where subject_key = %(subject)s order by decision_date desc",
    "select * from mart.serious_list_entry where subject_key = %(subject)s",
)
_MONTH = (
    "select * from mart.department_metric_monthly where department_code = %(department)s and month = %(month)s",
)


def ask(connection: psycopg.Connection, kind: str, subject: dict[str, Any]) -> int:
    """One question of a reader, all its queries; rows got."""
    if kind == "report as of":
        connection.execute(
            "select set_config('credit.publication', %s, false)", [str(subject["publication"])]
        )
    rows = sum(len(connection.execute(query, subject).fetchall()) for query in _QUESTIONS[kind])
    if kind == "report as of":
        connection.execute("select set_config('credit.publication', '', false)")
    return rows


_QUESTIONS = {"report": _REPORT, "report as of": _REPORT, "department's month": _MONTH}


def client(told: dict[str, Any], seed: int, ready: threading.Barrier) -> list[float]:
    """Ask for so many seconds; the wait of each question in ms. The first three, which fill the connection's caches, are
    not counted, and nobody is counted before all clients have asked theirs: 32 connections are not opened at once."""
    kind, subjects, pause = told["kind"], told["subjects"], told["pause"]
    chance, waits = random.Random(seed), []
    with psycopg.connect(told["url"], autocommit=True) as connection:
        for _ in range(3):
            ask(connection, kind, chance.choice(subjects))
        ready.wait()
        end = time.perf_counter() + told["seconds"]
        while time.perf_counter() < end:
            time.sleep(chance.uniform(0, 2 * pause))
            started = time.perf_counter()
            ask(connection, kind, chance.choice(subjects))
            waits.append((time.perf_counter() - started) * 1000)
    return waits


def work(argv: list[str]) -> None:
    """A process of clients: told by a line of JSON on its input, says when all are ready, waits to be let go, prints the waits."""
    told = json.loads(sys.stdin.readline())
    ready = threading.Barrier(told["clients"], action=_wait_for_the_others)

    def run(place: int) -> list[float]:
        try:
            return client(told, told["seed"] + place, ready)
        except BaseException:
            ready.abort()  # else the others wait for this one for ever
            raise

    with ThreadPoolExecutor(told["clients"]) as pool:
        found = list(pool.map(run, range(told["clients"])))
    json.dump([wait for waits in found for wait in waits], sys.stdout)


def _wait_for_the_others() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def measured(
    url: str, kind: str, subjects: list[dict[str, Any]], clients: int, seconds: float, pause: float
) -> list[float]:
    """Waits of all clients, spread over processes, so that they wait for the server and not for one another."""
    shares = [clients // PROCESSES + (place < clients % PROCESSES) for place in range(PROCESSES)]
    processes = []
    for place, share in enumerate(share for share in shares if share):
        process = subprocess.Popen(
            python("bench.readers", "client"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        _tell(process, {"url": url, "kind": kind, "subjects": subjects, "clients": share, "seconds": seconds,
                        "pause": pause, "seed": 1000 * place})  # fmt: skip
        processes.append(process)
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        _tell(process, "go")
    waits: list[float] = []
    for process in processes:
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError("a process of clients failed; its error is above")
        waits += json.loads(output)
    return waits


def _tell(process: subprocess.Popen[str], told: object) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it failed: its error and return code say so
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()


def reader_url(url: str) -> str:
    """A login that may read the marts and nothing else."""
    with connect() as connection:
        if connection.execute("select from pg_roles where rolname = %s", [LOGIN]).fetchone() is None:
            connection.execute(
                sql.SQL("create role {} login password {} in role credit_analyst").format(
                    sql.Identifier(LOGIN), sql.Literal(PASSWORD)
                )
            )
    return make_conninfo(url, user=LOGIN, password=PASSWORD)


def questions(old: int, count: int = 2000) -> list[dict[str, Any]]:
    """Subjects of the publication, taken evenly, with a department and its month."""
    with connect() as connection:
        subjects = connection.execute(
            "select subject_key::text from mart_store.subject_credit_profile where valid_to_publication is null"
            " order by md5(subject_key::text) limit %s",
            [count],
        ).fetchall()
        departments = connection.execute(
            "select distinct department_code from ops.feed where is_active"
        ).fetchall()
        month = connection.execute(
            "select date_trunc('month', max(business_date))::date::text from ops.publication"
        ).fetchone()
    assert month is not None
    return [
        {
            "subject": key,
            "department": departments[place % len(departments)][0],
            "month": month[0],
            "publication": old,
        }
        for place, (key,) in enumerate(subjects)
    ]


def latencies(url: str, asked: list[dict[str, Any]], clients: int, seconds: float, pause: float) -> str:
    lines = []
    for kind, goal in GOALS.items():
        paced = measured(url, kind, asked, clients, seconds, pause)
        saturated = measured(url, kind, asked, clients, seconds, 0)
        alone = measured(url, kind, asked, 1, min(seconds, 5), 0)
        lines.append(
            [
                kind,
                *(f"{percentile(paced, share):.1f}" for share in (0.5, 0.99)),
                f"{goal}",
                f"{len(paced) / seconds:.0f}",
                *(f"{percentile(saturated, share):.1f}" for share in (0.5, 0.99)),
                f"{len(saturated) / seconds:.0f}",
                *(f"{percentile(alone, share):.1f}" for share in (0.5, 0.99)),
            ]
        )
    head = [
        "question",
        "p50 ms",
        "**p99 ms**",
        "goal",
        "a second",
        "p50 saturated",
        "p99 saturated",
        "a second saturated",
        "p50 alone",
        "p99 alone",
    ]
    return table(head, lines)


def flips(url: str, rounds: int) -> str:
    """Moving a pointer against renaming two schemas, under polling readers, on two equal tables of one row."""
    with connect() as connection:
        connection.execute("create schema swap_a; create schema swap_live; create schema mart_flip")
        connection.execute("grant usage on schema swap_a, swap_live, mart_flip to credit_analyst")
        for schema, tag in (("swap_live", 0), ("swap_a", 1)):
            for name in ("one", "two"):
                connection.execute(f"create table {schema}.{name} as select {tag} as tag")
        for name in ("one", "two"):
            connection.execute(
                f"create view mart_flip.{name} as select stored.publication_id as tag from ops.publication as stored"
                " where stored.publication_id = (select ops.reading_publication())"
            )
        connection.execute(
            "grant select on all tables in schema swap_live, swap_a, mart_flip to credit_analyst"
        )
        numbers = [n for (n,) in connection.execute(
            "select publication_id from ops.publication where state = 'published' order by 1 desc limit 2"
        ).fetchall()]  # fmt: skip
    by_pointer = _moved(
        url, "mart_flip.one", "mart_flip.two",
        lambda number: publication.rollback(numbers[number % 2], "计时", "bench"), rounds,
    )  # fmt: skip
    by_rename = _moved(url, "swap_live.one", "swap_live.two", _rename, rounds)
    with connect() as connection:
        connection.execute(
            "drop schema swap_a cascade; drop schema swap_live cascade; drop schema mart_flip cascade"
        )
    return table(
        [
            "way",
            "move p50 ms",
            "move p99 ms",
            "reads",
            "read p50 ms",
            "read p99 ms",
            "longest read ms",
            "reads over 50 ms",
            "mixed reads",
            "failed reads",
        ],
        [["pointer (ours)", *by_pointer], ["schema swap by rename", *by_rename]],
    )


def _rename(number: int) -> None:
    with connect() as connection:
        connection.execute("alter schema swap_live rename to swap_old")
        connection.execute("alter schema swap_a rename to swap_live")
        connection.execute("alter schema swap_old rename to swap_a")


def _moved(url: str, one: str, two: str, move: Callable[[int], object], rounds: int) -> list[object]:
    stop, reads, mixed, failed = threading.Event(), [], [0], [0]

    def poll() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                started = time.perf_counter()
                try:
                    # Two statements of one transaction, as a page of a dashboard is.
                    with connection.transaction():
                        connection.execute("set transaction isolation level repeatable read")
                        first = connection.execute(f"select tag from {one}").fetchone()
                        second = connection.execute(f"select tag from {two}").fetchone()
                    mixed[0] += first != second
                except psycopg.errors.Error:
                    failed[0] += 1
                reads.append((time.perf_counter() - started) * 1000)
                time.sleep(0.002)

    pollers = [threading.Thread(target=poll) for _ in range(4)]
    for poller in pollers:
        poller.start()
    moves = []
    try:
        # A reader of a long answer keeps its locks: the usual case at nine in the morning.
        with psycopg.connect(url) as long_reader:
            for number in range(rounds):
                if number % 10 == 0:
                    long_reader.execute(f"select tag from {one}")
                    threading.Timer(0.2, long_reader.rollback).start()
                started = time.perf_counter()
                move(number)
                moves.append((time.perf_counter() - started) * 1000)
                time.sleep(0.02)
            time.sleep(0.3)
    finally:
        stop.set()
        for poller in pollers:
            poller.join()
    return [
        f"{median(moves):.1f}", f"{percentile(moves, 0.99):.1f}", len(reads), f"{median(reads):.1f}",
        f"{percentile(reads, 0.99):.1f}", f"{max(reads):.0f}", sum(read > 50 for read in reads), mixed[0], failed[0],
    ]  # fmt: skip


def disk(city: City) -> str:
    """Bytes per record, by where they lie, against the delivered CSV."""
    with connect() as connection:
        places = connection.execute(
            "select relnamespace::regnamespace::text, sum(pg_relation_size(oid) + coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0)), sum(pg_indexes_size(oid))"
            " from pg_class where relkind = 'r' and relnamespace::regnamespace::text = any(%s) group by 1 order by 2 desc",
            [["raw", "accepted", "core", "mart_store", "vault", "quarantine", "ops"]],
        ).fetchall()
        largest = connection.execute(
            "select oid::regclass::text, pg_relation_size(oid), pg_indexes_size(oid), reltuples::bigint from pg_class"
            " where relkind = 'r' and relnamespace::regnamespace::text = any(%s) order by pg_total_relation_size(oid) desc limit 12",
            [["raw", "core", "mart_store", "vault"]],
        ).fetchall()
        widths = connection.execute(
            "select attname, avg_width from pg_stats where schemaname = 'mart_store' and tablename = 'queryable_credit_record'"
            " order by avg_width * (1 - null_frac) desc limit 14"
        ).fetchall()
    csv = _csv_bytes(city)
    total = sum(int(heap) + int(index) for _, heap, index in places)
    lines = [
        [name, f"{heap / city.records:.0f}", f"{index / city.records:.0f}"] for name, heap, index in places
    ]
    lines += [["**all**", f"**{total / city.records:.0f}**", f"{total / csv:.2f} × the CSV"]]
    lines += [["delivered CSV", f"{csv / city.records:.0f}", ""]]
    tables = [
        [name, f"{heap / 2**20:.0f}", f"{index / 2**20:.0f}", f"{rows:,}"]
        for name, heap, index, rows in largest
    ]
    return "\n\n".join(
        [
            table(["where", "heap, bytes per record", "indexes, bytes per record"], lines),
            table(["table", "heap MB", "indexes MB", "rows"], tables),
            "Widest columns of `queryable_credit_record`, mean bytes: "
            + ", ".join(f"{name} {width}" for name, width in widths),
        ]
    )


def _csv_bytes(city: City) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-csv-") as folder:
        write_deliveries(city, Path(folder))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def unused_indexes() -> str:
    """Indexes of the marts nobody used since the statistics began: a night or two of builds and the questions above."""
    with connect() as connection:
        rows = connection.execute(
            "select relname, indexrelname, round(pg_relation_size(indexrelid) / 1048576.0, 1), idx_scan"
            " from pg_stat_user_indexes where schemaname in ('mart_store', 'core', 'raw', 'vault')"
            " and pg_relation_size(indexrelid) > 1048576 order by idx_scan, pg_relation_size(indexrelid) desc limit 30"
        ).fetchall()
    return table(["table", "index", "MB", "scans"], rows)


def main(argv: list[str] | None = None) -> None:
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["client"]:
        return work(given[1:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--nights", type=int, default=3, help="published; two at least, to move between")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--pause", type=float, default=0.5, help="mean pause of a paced client, seconds")
    parser.add_argument("--rounds", type=int, default=200, help="moves of the pointer")
    parser.add_argument("--save-as", default="readers")
    arguments = parser.parse_args(given)
    city = City.of(arguments.persons)
    with published_city(city, arguments.nights) as url:
        with connect() as connection:
            old = connection.execute(
                "select min(publication_id) from ops.publication where state = 'published'"
            ).fetchone()
        assert old is not None
        reading = reader_url(url)
        text = "\n\n".join(
            [
                "# Readers",
                f"{city.persons:,} persons, {city.organisations:,} organisations, {city.records:,} records,"
                f" {arguments.nights} nights published; {machine()}, load while measuring {os.getloadavg()[2]:.0f}. {arguments.clients} clients as `credit_analyst`; paced:"
                f" {arguments.pause:g} s between two questions of a client.",
                latencies(reading, questions(old[0]), arguments.clients, arguments.seconds, arguments.pause),
                "## Publishing",
                flips(reading, arguments.rounds),
                "## Disk",
                disk(city),
                "Indexes over 1 MB, least used first:",
                unused_indexes(),
            ]
        )
    save(arguments.save_as, text)


if __name__ == "__main__":
    main()
