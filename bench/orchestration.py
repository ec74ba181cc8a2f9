"""What Airflow adds to a night: nights of one city by turns through Airflow and as the bare verbs its tasks call.

python -m bench.orchestration [--nights 3] [--times 20] [--home FOLDER]

Starts a whole system of its own (Airflow, database, departments), which keeps running throughout; the bare verbs run in
one process that has imported everything, two sources at a time, like Airflow's forked tasks on two cores.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import psycopg

from bench.harness import Run, machine, median, python, run_process, save, table
from credit_warehouse.runtime import environment
from credit_warehouse.runtime.ports import first_free
from credit_warehouse.runtime.simulator_service import FIRST_NIGHT
from credit_warehouse.settings import PROJECT_DIR
from simulator import config as configuration
from simulator.config import Config

_IMPORTABLE = os.pathsep.join([str(PROJECT_DIR), str(PROJECT_DIR / "plugins")])
"""The bare verbs import what Airflow's scheduler does, whose settings lie in the plugins' folder."""

_SPENT = """
select extract(epoch from max(finished_at) filter (where step = 'publish') - min(started_at))::float,
    sum(extract(epoch from finished_at - started_at))::float
from ops.outcome where business_date = %s and step not like 'exchange%%' and step <> 'bulletin'
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Print the ratios and save them in bench/results/orchestration.md."""
    parser = argparse.ArgumentParser(prog="bench.orchestration", description=__doc__)
    parser.add_argument("--nights", type=int, default=3, help="Nights of each kind, after the first.")
    parser.add_argument(
        "--times", type=int, default=1, help="So many times the demo's persons and enterprises."
    )
    parser.add_argument("--home", type=Path, help="Keep the system here.")
    parser.add_argument("--name", default="orchestration", help="of the report")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-orchestration-") as folder:
        home = asked.home or Path(folder)
        system = {"CREDIT_HOME": str(home), "CREDIT_AIRFLOW_PORT": str(first_free(8080))}
        sizes = {name: Config.model_fields[name].default * asked.times for name in ("persons", "enterprises")}
        city = configuration.ensure(home / "simulator", city=os.environ.get("CREDIT_CITY"), **sizes)
        try:
            _say(system, "demo")
            first = _spent(home, FIRST_NIGHT)
            through, bare = _nights(home, system, asked.nights)
        finally:
            _say(system, "down" if asked.home else "clean")
    save(asked.name, _report(city, first, through, bare))


def _nights(home: Path, system: dict[str, str], count: int) -> tuple[list[Run], list[Run]]:
    through: list[Run] = []
    bare: list[Run] = []
    for number in range(count):
        night = FIRST_NIGHT + timedelta(days=1 + 2 * number)
        _say(system, "nightly", night.isoformat())
        through.append(_spent(home, night))
        values = environment.load(home).for_process() | system | {"PYTHONPATH": _IMPORTABLE}
        run_process(python("bench.orchestration_bare", (night + timedelta(days=1)).isoformat()), values)
        bare.append(_spent(home, night + timedelta(days=1)))
    return through, bare


def _say(system: dict[str, str], *words: str) -> None:
    """A verb of the command line, as a user gives it.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    program = Path(sys.executable).with_name("credit-warehouse")
    subprocess.run([program, *words], env={**os.environ, **system}, check=True, stdin=subprocess.DEVNULL)


def _spent(home: Path, night: date) -> Run:
    """Wall time from the first step's start to the publication, and the sum of what the steps took by themselves."""
    with psycopg.connect(environment.load(home)["CREDIT_DATABASE_URL"]) as connection:
        row = connection.execute(_SPENT, [night]).fetchone()
    assert row is not None
    return Run(row[0], row[1], 0)


def _report(city: Config, first: Run, through: list[Run], bare: list[Run]) -> str:
    airflow, verbs = median(through), median(bare)
    rows = [
        (
            name,
            f"{run.seconds:.1f} s",
            f"{run.cpu_seconds:.1f} s",
            f"{run.seconds / run.cpu_seconds:.2f}",
            f"{run.seconds / verbs.seconds:.2f}",
        )
        for name, run in (
            ("the first night of the demo, through Airflow", first),
            (f"a later night through Airflow (median of {len(through)})", airflow),
            (f"a later night as bare verbs (median of {len(bare)})", verbs),
        )
    ]
    head = ("night", "first step to publication", "sum of its steps", "wall over sum", "wall over bare verbs")
    return (
        f"# Orchestration\n\n{machine()}; departments of {city.enterprises:,} enterprises and {city.persons:,} persons, nights by turns.\n\n{table(head, rows)}\n\n"
        "The sum adds up what each step took by its own row in `ops.outcome`; steps of several sources run side by side."
    )


if __name__ == "__main__":
    main()
