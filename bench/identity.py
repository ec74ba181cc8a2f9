"""How good are the candidates? Proposes them for a labelled set and compares with the truth.

python -m bench.identity [--persons 20000] [--organisations 15000] [--records 2000] [--seed 2026]
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import typer

from bench import labelled_city
from bench.labelled_city import Quality
from bench.warehouse import warehouse
from simulator.labelled import DECIDED_ON, labelled_set

RESULTS = Path(__file__).parent / "results" / "identity.md"


def main(persons: int = 20_000, organisations: int = 15_000, records: int = 2_000, seed: int = 2026) -> None:
    """Print the figures and save them in bench/results/identity.md."""
    from credit_warehouse import pipeline

    labelled = labelled_set(seed, persons, organisations, records)
    with warehouse(durable=False):
        labelled_city.deliver(labelled)
        started = time.perf_counter()
        found = pipeline.propose_matches(DECIDED_ON)
        seconds = time.perf_counter() - started
        qualities = {kind: labelled_city.judge(labelled, kind) for kind in ("person", "organisation")}
        links = labelled_city.links()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    known = {kind: sum(subject.kind == kind for subject in labelled.subjects) for kind in qualities}
    lines = [
        "# Candidates for records without a usable identifier",
        "",
        f"`python -m bench.identity --persons {persons} --organisations {organisations} --records {records} --seed {seed}`",
        "",
        "| | persons | organisations |",
        "|---|---|---|",
        *(f"| {label} | {' | '.join(cells)} |" for label, cells in _table(known, qualities)),
        "",
        f"**Links made without a person's decision: {links}**",
        "",
        "Known subjects that are not among the candidates of their record, and why:",
        "",
        *(
            f"- {kind}: {count} × {reason}"
            for kind, quality in qualities.items()
            for reason, count in sorted(quality.missed.items())
        ),
        "",
        f"{found.pairs} pairs scored for {found.records} records in {seconds:.1f} s; the process took {memory} MB at its peak.",
    ]
    print("\n".join(lines))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(known: dict[str, int], qualities: dict[str, Quality]) -> Iterator[tuple[str, list[str]]]:
    both = qualities.values()
    yield "known subjects, look-alikes included", [str(count) for count in known.values()]
    yield "records", [str(q.records) for q in both]
    yield "of these with a known subject", [str(q.with_subject) for q in both]
    yield "candidates proposed per record", [f"{q.per_record:.2f}" for q in both]
    yield "precision: candidates that are the subject", [f"{q.precision:.1%}" for q in both]
    yield "precision at a score of 0.9 and more", [f"{q.confident_precision:.1%}" for q in both]
    yield "recall: known subjects among the candidates", [f"{q.recall:.1%}" for q in both]
    yield "known subjects that are the first candidate", [f"{q.top_1:.1%}" for q in both]


if __name__ == "__main__":
    typer.run(main)
