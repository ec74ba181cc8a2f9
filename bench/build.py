"""The full build of the essential marts against one script that makes the same tables, and against the same figures written
by hand, in PostgreSQL and in DuckDB.

python -m bench.build [--persons 100000] [--rounds 3]

Essential marts: queryable_credit_record and subject_credit_profile. Ours is dbt's run of exactly these two and all they are made
from. The plain script (build_plain.py) makes the same tables with all columns and indexes; the script by hand (build_marts.py)
what is computed of the two marts, and no more. Results are compared row for row before anything is reported.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import psycopg

from bench import build_marts, build_plain, harness, in_duckdb
from bench.city import City, night_date, write_deliveries
from bench.city_load import load_night
from bench.cost import Cost, cost_of
from bench.warehouse import warehouse
from credit_warehouse.intake.rule import literal

DAY = night_date(0)
MARTS = ("queryable_credit_record", "subject_credit_profile")
DEAREST = 10
"""Models the report names."""


def by_dbt(url: str) -> None:
    """Our full build of the essential marts for a candidate that is discarded afterwards."""
    from credit_warehouse import publication
    from credit_warehouse.transform.run import DBT, environment

    candidate = publication.open_candidate(DAY, full_refresh=True)
    assert candidate is not None
    for arguments in (
        ["seed"],
        ["run", "--full-refresh", "--select", *(f"+{mart}" for mart in MARTS)],
    ):
        subprocess.run(
            [*DBT, *arguments],
            env=environment(candidate.publication_id, DAY),
            check=True,
            capture_output=True,
        )


def _forget(url: str) -> None:
    """A build begins with no marts, as the scripts do: a store that is there has its indexes already, and fills them row by
    row."""
    with psycopg.connect(url) as connection:
        for mart in MARTS:
            connection.execute(f"drop table mart_store.{mart} cascade")


def _target() -> Path:
    """Where dbt left what it ran."""
    from credit_warehouse.settings import get_settings

    return get_settings().dbt_target_dir


def models() -> list[tuple[str, float]]:
    """The models of the last :func:`by_dbt` with the wall seconds each took, two at a time; dearest first."""
    ran = json.loads((_target() / "run_results.json").read_text("utf-8"))["results"]
    took = [(one["unique_id"].rpartition(".")[2], float(one["execution_time"])) for one in ran]
    return sorted(took, key=lambda model: -model[1])


def by_plain_script(url: str) -> None:
    """The models' own SELECTs, one after the other. The script is written before, by the last :func:`by_dbt`."""
    with psycopg.connect(url) as connection:
        for statement in build_plain.script(connection, _target(), build_plain.tables(_target(), MARTS)):
            connection.execute(statement)


def by_hand(url: str) -> None:
    """The script, in PostgreSQL."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "drop schema if exists hand cascade; create schema hand; set search_path = hand, core, ops"
        )
        connection.execute(
            "create view repaired as select distinct record_key from ops.record_event where kind = 'repair'"
        )
        for statement in build_marts.script(DAY, build_marts.postgres_months):
            connection.execute(statement)
        connection.execute("analyze hand_record, hand_profile")


def differences(url: str, result: Path) -> dict[str, int]:
    """Rows in which the four differ, by pair and table; all 0 when they are the same."""
    with psycopg.connect(url) as connection, duckdb.connect() as reader:
        found = build_plain.differences(connection, build_plain.tables(_target(), MARTS))
        for mart, ours, columns in (
            ("hand_record", "mart_store.queryable_credit_record", build_marts.RECORD_COLUMNS),
            ("hand_profile", "mart_store.subject_credit_profile", build_marts.PROFILE_COLUMNS),
        ):
            listed = ", ".join(columns)
            connection.execute(f"create temp table duck_{mart} as select {listed} from hand.{mart} limit 0")
            path = result / f"{mart}.csv"
            reader.execute(
                f"copy (select {listed} from {literal(str(result / f'{mart}.parquet'))}) to {literal(str(path))} (header false)"
            )
            with (
                path.open("rb") as file,
                connection.cursor().copy(f"copy duck_{mart} from stdin (format csv)") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
            kept = f"(select {listed} from {ours} where valid_to_publication is null)"
            hand = f"(select {listed} from hand.{mart})"
            duck = f"(select {listed} from duck_{mart})"
            for pair, left, right in (("ours, by hand", kept, hand), ("by hand, DuckDB", hand, duck)):
                found[f"{mart}: {pair}"] = build_plain.differing(connection, left, right)
    return found


def measure(persons: int, rounds: int) -> str:
    """The report of one city."""
    city = City.of(persons)
    costs: dict[str, list[Cost]] = {"dbt": [], "plain": [], "hand": [], "duckdb": []}
    with warehouse() as url, tempfile.TemporaryDirectory(prefix="bench-build-") as scratch:
        folder = Path(scratch)
        load_night(city)
        files = write_deliveries(city, folder / "files")
        by_dbt(url)
        in_duckdb.export_references(url, folder / "references")
        for _ in range(rounds):
            _forget(url)
            costs["dbt"].append(cost_of(url, lambda: by_dbt(url)))
            costs["plain"].append(cost_of(url, lambda: by_plain_script(url)))
            costs["hand"].append(cost_of(url, lambda: by_hand(url)))
            costs["duckdb"].append(in_duckdb.rebuild(files, folder / "references", folder))
        took = models()
        tables = build_plain.tables(_target(), MARTS)
        unequal = differences(url, folder)
        if any(unequal.values()):
            raise AssertionError(f"the marts differ: {unequal}")
    median = {
        name: Cost(
            statistics.median(c.seconds for c in cs), statistics.median(c.database_seconds for c in cs)
        )
        for name, cs in costs.items()
    }
    ours, plain, hand, duck = (median[way] for way in ("dbt", "plain", "hand", "duckdb"))
    return "\n".join(
        [
            "# The full build",
            "",
            f"`python -m bench.build --persons {persons} --rounds {rounds}`, {city.records:,} rows, on {harness.machine()}.",
            "",
            f"- **{ours.database_seconds / plain.database_seconds:.2f} ×** the CPU time of one script that makes the same tables, columns and indexes (goal ≤ 1.3); {ours.seconds / plain.seconds:.2f} × its wall time",
            f"- **{ours.database_seconds / hand.database_seconds:.2f} ×** the CPU time of the leanest script we can write for the same figures, in PostgreSQL; {ours.seconds / hand.seconds:.2f} × its wall time",
            f"- {ours.database_seconds / duck.database_seconds:.1f} × DuckDB's CPU time from the files; {ours.seconds / duck.seconds:.1f} × its wall time",
            "",
            harness.table(
                ["way", "CPU s", "wall s"],
                [
                    [
                        "dbt: the two marts and all they are made from, versions kept",
                        f"{ours.database_seconds:.1f}",
                        f"{ours.seconds:.1f}",
                    ],
                    [
                        "plain script: the same tables, columns and indexes",
                        f"{plain.database_seconds:.1f}",
                        f"{plain.seconds:.1f}",
                    ],
                    [
                        "by hand, PostgreSQL: the figures of the two marts",
                        f"{hand.database_seconds:.1f}",
                        f"{hand.seconds:.1f}",
                    ],
                    [
                        "by hand, DuckDB, CSV to Parquet",
                        f"{duck.database_seconds:.1f}",
                        f"{duck.seconds:.1f}",
                    ],
                ],
            ),
            "",
            "Where ours goes, wall seconds of the last round (two models at a time): "
            + ", ".join(f"{name} {seconds:.1f}" for name, seconds in took[:DEAREST])
            + f"; the other {len(took) - DEAREST} models {sum(seconds for _, seconds in took[DEAREST:]):.1f}.",
            "",
            "The plain script is the models' own SELECTs as CREATE TABLE AS, with our indexes; no dbt, affected sets, contracts,"
            " candidate or versions. Its tables were equal to ours in every row and column: "
            + ", ".join(tables)
            + ". The script by hand resolves no identities, keeps two tables of what is computed, and has three indexes.",
            "",
            "Compared with it are queryable_credit_record ("
            + ", ".join(build_marts.RECORD_COLUMNS)
            + ") and subject_credit_profile (all"
            " figures). The three results were equal in every row.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and save the report."""
    parser = argparse.ArgumentParser(prog="bench.build", description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default="build", help="of the report")
    asked = parser.parse_args(argv)
    harness.save(asked.name, measure(asked.persons, asked.rounds))


if __name__ == "__main__":
    main()
