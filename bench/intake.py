"""How fast a delivery is in the warehouse, checked, split and with its provenance, against plain readers of the same file.

python -m bench.intake [--rows 2000000] [--lines 200000] [--workbook-rows 20000] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from bench import deliveries
from bench.harness import Run, interleaved, machine, median, python, run_process, save, table
from bench.warehouse import warehouse
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from credit_warehouse.intake import ledger
from credit_warehouse.intake.landing import land
from credit_warehouse.runtime.embedded import psql_path
from credit_warehouse.settings import get_settings

NIGHT = date(2026, 3, 2)
_LOAD = (
    "import sys, datetime; from credit_warehouse.intake.verbs import load;"
    " load(sys.argv[1], datetime.date.fromisoformat(sys.argv[2]))"
)
QUICK = {"rows": 200_000, "lines": 50_000, "workbook_rows": 3_000, "rounds": 1}


def main(argv: Sequence[str] | None = None) -> None:
    """Print the ratios and save them in bench/results/intake.md."""
    wanted = _arguments(argv)
    with tempfile.TemporaryDirectory(prefix="bench-intake-") as folder, warehouse() as url:
        scratch = Path(folder)
        rows = [
            *_csv(scratch, url, wanted.rows, wanted.rounds),
            *_json(scratch, url, wanted.lines, wanted.rounds),
            *_workbook(scratch, url, wanted.workbook_rows, wanted.rounds),
        ]
    header = [
        "delivery",
        "peer",
        "ratio of rows/s",
        "ratio per CPU second",
        "our rows/s",
        "its rows/s",
        "our CPU s",
        "our peak MB",
    ]
    command = f"python -m bench.intake --rows {wanted.rows} --lines {wanted.lines}"
    command += f" --workbook-rows {wanted.workbook_rows} --rounds {wanted.rounds}"
    notes = _NOTES.read_text(encoding="utf-8") if _NOTES.exists() else ""
    save("intake", f"# Intake\n\n`{command}`, medians; {machine()}\n\n{table(header, rows)}\n\n{notes}")


_NOTES = Path(__file__).parent / "results" / "intake_profile.md"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.intake")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--workbook-rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small files, one round")
    wanted = parser.parse_args(argv)
    if wanted.quick:
        vars(wanted).update(QUICK)
    return wanted


def _csv(scratch: Path, url: str, rows: int, rounds: int) -> list[list[object]]:
    """The court's drop (GB18030 in a zip) against ``psql \\copy`` of the CSV inside it, into a table of text."""
    contract = load_contracts()[deliveries.COURT]
    plain, drop = scratch / "court.csv", scratch / "court.zip"
    deliveries.court_csv(scratch / "utf8.csv", rows)
    _gb18030(scratch / "utf8.csv", plain)
    (scratch / "utf8.csv").unlink()
    _pack(drop, plain, contract, rows)
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(f.name)) for f in contract.fields)

    def copy() -> Run:
        _execute(url, sql.SQL("drop table if exists plain; create table plain ({})").format(columns))
        command = rf"\copy plain from '{plain}' (format csv, header, encoding 'gb18030')"
        psql = [str(psql_path()), url, "-qX", "-v", "ON_ERROR_STOP=1", "-c", command]
        return _with_database(url, lambda: run_process(psql))

    runs = interleaved({"ours": _intake(contract, drop, url), "copy": copy}, rounds)
    plain.unlink()
    drop.unlink()
    return [_row(f"CSV, GB18030 in a zip, {rows:,} rows", r"`psql \copy`", rows, runs["ours"], runs["copy"])]


def _json(scratch: Path, url: str, lines: int, rounds: int) -> list[list[object]]:
    """What REST pages are landed as. Fastest plain reader: DuckDB's, into columns."""
    contract = load_contracts()[deliveries.TAX]
    path = scratch / "tax.jsonl"
    deliveries.tax_lines(path, lines)
    peers = {"ours": _intake(contract, path, url)} | {
        name: _peer(name, path) for name in ("duckdb_json", "orjson", "json")
    }
    runs = interleaved(peers, rounds)
    return [
        _row(f"REST, JSON lines, {lines:,} rows", f"{name}, read only", lines, runs["ours"], runs[name])
        for name in peers
        if name != "ours"
    ]


def _workbook(scratch: Path, url: str, rows: int, rounds: int) -> list[list[object]]:
    contract = load_contracts()[deliveries.MARKET]
    path = scratch / "market.xlsx"
    deliveries.market_workbook(path, rows, scratch / "market.csv")
    peers = {"ours": _intake(contract, path, url)} | {
        name: _peer(name, path) for name in ("calamine", "openpyxl")
    }
    runs = interleaved(peers, rounds)
    return [
        _row(f"XLSX, {rows:,} rows", f"{name}, read only", rows, runs["ours"], runs[name])
        for name in peers
        if name != "ours"
    ]


def _row(delivery: str, peer: str, rows: int, ours: list[Run], its: list[Run]) -> list[object]:
    us, it = median(ours), median(its)
    return [
        delivery,
        peer,
        f"{it.seconds / us.seconds:.2f}",
        f"{it.cpu_seconds / us.cpu_seconds:.2f}",
        f"{rows / us.seconds:,.0f}",
        f"{rows / it.seconds:,.0f}",
        f"{us.cpu_seconds:.1f}",
        f"{us.peak_mb:.0f}",
    ]


def _intake(contract: FeedContract, path: Path, url: str) -> Callable[[], Run]:
    """The verb ``load`` in a process of its own, on a landed copy and an empty raw table."""

    def run() -> Run:
        _execute(
            url,
            sql.SQL("truncate {}, quarantine.rejected_row").format(sql.Identifier("raw", contract.relation)),
        )
        arrived = path.with_name("arrived" + path.suffix)
        shutil.copyfile(path, arrived)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        receipt = f"{digest}  {path.name}\n".encode() if contract.terms.delivery.receipt == "sha256" else None
        landed = land(
            get_settings(), contract, arrived, name=path.name, delivery_id=os.urandom(8).hex(),
            delivered_for=NIGHT, watermark=None, receipt=receipt,
        )  # fmt: skip
        with connect() as connection:
            # Else the ledger knows the bytes from the round before.
            for batch in connection.execute(
                "select batch_id from ops.batch where state = 'loaded'"
            ).fetchall():
                ledger.refuse(connection, batch[0], "bench", "bench", None)
            ledger.register(connection, contract, NIGHT, landed)
        done = _with_database(
            url, lambda: run_process([sys.executable, "-c", _LOAD, contract.feed, str(NIGHT)])
        )
        with connect() as connection:
            state = connection.execute(
                "select state from ops.batch order by batch_id desc limit 1"
            ).fetchone()
        if state != ("loaded",):
            raise RuntimeError(f"{contract.feed}: the batch is not loaded but {state}")
        return done

    return run


def _with_database(url: str, work: Callable[[], Run]) -> Run:
    """The run with the CPU time of the database's processes added."""
    with psycopg.connect(url) as connection:
        server = psutil.Process(connection.info.backend_pid).parent()
    assert server is not None
    before = _settled_cpu(server)
    run = work()
    return replace(run, cpu_seconds=run.cpu_seconds + _settled_cpu(server) - before)


def _settled_cpu(server: psutil.Process) -> float:
    """CPU seconds of a PostgreSQL server, of the sessions that have ended included."""
    time.sleep(0.2)
    times = server.cpu_times()
    ended = times.user + times.system + times.children_user + times.children_system
    return ended + sum(one.cpu_times().user + one.cpu_times().system for one in server.children())


def _peer(name: str, path: Path) -> Callable[[], Run]:
    return lambda: run_process(python("bench.plain_readers", name, str(path)))


def _gb18030(source: Path, target: Path) -> None:
    with (
        source.open(encoding="utf-8", newline="") as read,
        target.open("w", encoding="gb18030", newline="") as out,
    ):
        while chunk := read.read(1 << 22):
            out.write(chunk)


def _pack(target: Path, content: Path, contract: FeedContract, rows: int) -> None:
    with content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = {"feed": contract.feed, "files": [{"name": content.name, "rows": rows, "sha256": digest}]}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(content, content.name)
        archive.writestr("manifest.json", json.dumps(manifest))


def _execute(url: str, statement: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


if __name__ == "__main__":
    main()
