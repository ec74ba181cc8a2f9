"""What a night costs: from accepted rows to the flipped publication, gates included.

python -m bench.night [--persons 100000 300000 1200000] [--nights 2]

Each city is built whole once. Then nights with the same absolute change (0.5 % of the smallest city), and nights of the
city's own 0.5 %. Beside them, what DuckDB takes to make the two essential marts of the whole city anew from its files (build_marts.py).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import harness, in_duckdb
from bench.city import City, night_date, write_deliveries
from bench.city_load import load_night
from bench.cost import Cost, cost_of
from bench.warehouse import vacuum, warehouse

STEPS = ("open_candidate", "build_core", "build_marts", "gate_publication", "publish")


@dataclass(frozen=True)
class Measured:
    """One city: its full build, DuckDB's rebuild, nights of the same absolute change as everywhere, nights of its own 0.5 %.

    ``steps``: wall seconds of the steps of the last night; ``models``: the dearest nodes of it, seconds.
    """

    city: City
    full: Cost
    duckdb: Cost
    same: Cost
    own: Cost
    steps: dict[str, float]
    models: list[tuple[str, float]]


def measure(persons: int, changed: int, nights: int) -> Measured:
    """A warehouse of its own for one city."""
    own, same = City.of(persons), City.of(persons, changed)
    with warehouse() as url:
        load_night(own)
        full = cost_of(url, lambda: _publish(0))
        duckdb = _in_duckdb(own, url)
        vacuum(url)
        costs = []
        # Same first: a city's places are used up in the order of the nights.
        for night in range(1, 2 * nights + 1):
            load_night(same if night <= nights else own, night)
            costs.append(cost_of(url, lambda night=night: _publish(night)))  # type: ignore[misc]
        steps, models = _last_night(url)
    return Measured(own, full, duckdb, _median(costs[:nights]), _median(costs[nights:]), steps, models)


def _publish(night: int) -> None:
    from credit_warehouse import pipeline

    published = pipeline.run_publication(night_date(night))
    assert published is not None


def _in_duckdb(city: City, url: str) -> Cost:
    with tempfile.TemporaryDirectory(prefix="bench-night-") as scratch:
        folder = Path(scratch)
        files = write_deliveries(city, folder / "files")
        in_duckdb.export_references(url, folder / "references")
        return in_duckdb.rebuild(files, folder / "references", folder)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.database_seconds for cost in costs),
    )


def _last_night(url: str) -> tuple[dict[str, float], list[tuple[str, float]]]:
    with psycopg.connect(url) as connection:
        steps = connection.execute(
            "select distinct on (step) step, extract(epoch from finished_at - started_at)::float8 from ops.outcome"
            " where step = any(%s) order by step, outcome_id desc",
            [list(STEPS)],
        ).fetchall()
        models = connection.execute(
            "select split_part(unique_id, '.', 3), execution_seconds::float8 from ops.dbt_result"
            " where publication_id = (select max(publication_id) from ops.dbt_result)"
            " order by execution_seconds desc limit 10"
        ).fetchall()
    return dict(steps), models


def report(found: Sequence[Measured], command: str) -> str:
    """The report, ratios first."""
    sizes = [one.city.persons for one in found]
    lines = ["# A night", "", f"`{command}`, on {harness.machine()}.", ""]
    largest = found[-1]
    share = largest.own.database_seconds / largest.full.database_seconds
    lines += [
        f"- a night of 0.5 % costs **{share:.1%}** of the full build's database time (goal ≤ 3 %)",
        f"- its wall time is **{largest.own.seconds / largest.duckdb.seconds:.2f} ×** DuckDB's rebuild of the two essential marts from the"
        " files (goal ≤ 1); all marts, versions, gates and process start-up are in ours only",
    ]
    if len(found) > 1:
        database = harness.growth_exponent(sizes, [one.same.database_seconds for one in found])
        wall = harness.growth_exponent(sizes, [one.same.seconds for one in found])
        lines += [
            f"- the same absolute change on larger cities: exponent **{database:.2f}** of database time, {wall:.2f} of wall time (goal ≤ 0.2)"
        ]
    lines += [
        "",
        harness.table(
            [
                "persons",
                "records",
                "full: database s",
                "full: wall s",
                "DuckDB: wall s",
                "changed rows",
                "night: database s",
                "night: wall s",
                "share",
            ],
            [
                [
                    f"{one.city.persons:,}",
                    f"{one.city.records:,}",
                    f"{one.full.database_seconds:.1f}",
                    f"{one.full.seconds:.1f}",
                    f"{one.duckdb.seconds:.1f}",
                    f"{changed:,}",
                    f"{cost.database_seconds:.2f}",
                    f"{cost.seconds:.1f}",
                    f"{cost.database_seconds / one.full.database_seconds:.1%}",
                ]
                for one in found
                for changed, cost in ((found[0].city.changed, one.same), (one.city.changed, one.own))
            ],
        ),
        "",
        "Database time is CPU time of the server's processes. Where the wall time of the last night went, in seconds:",
        "",
        harness.table(
            ["step", *(f"{size:,}" for size in sizes)],
            [[step, *(f"{one.steps.get(step, 0):.1f}" for one in found)] for step in STEPS],
        ),
        "",
        f"Its dearest nodes, {sizes[-1]:,} persons: "
        + ", ".join(f"{name} {seconds:.2f}" for name, seconds in largest.models)
        + ".",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every city and save the report."""
    parser = argparse.ArgumentParser(prog="bench.night", description=__doc__)
    parser.add_argument("--persons", type=int, nargs="+", default=[100_000, 300_000, 1_200_000])
    parser.add_argument("--nights", type=int, default=2, help="nights of each kind")
    parser.add_argument("--name", default="night", help="of the report")
    asked = parser.parse_args(argv)
    sizes = sorted(asked.persons)
    changed = City.of(sizes[0]).changed
    command = f"python -m bench.night --persons {' '.join(map(str, sizes))} --nights {asked.nights}"
    found: list[Measured] = []
    for size in sizes:
        found.append(measure(size, changed, asked.nights))
        # After each city: the largest takes most of an hour.
        harness.save(asked.name, report(found, command))


if __name__ == "__main__":
    main()
