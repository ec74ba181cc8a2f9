"""How long the queries behind every chart of the dashboards take, and those of the analysts' gallery.

Each is asked as Superset and the gallery ask it, as a reader's role, for the publication in force, one at a time. Without
``--persons`` of the system that ``make demo`` started; with it, of a generated city. ``--explain`` prints the slowest plans.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from bench.city import City
from bench.harness import machine, percentile, save, table
from bench.published_city import published_city
from credit_warehouse import gallery, readers
from credit_warehouse.dashboards import source
from credit_warehouse.database import connect
from credit_warehouse.readers import Role
from tests.dashboard_queries import chart_query

GOAL = 1000
"""No query of a page or of the gallery takes longer on the demo city, ms."""


@dataclass(frozen=True)
class Question:
    """One query, of a page or of the gallery; ``ask`` gives the number of its rows."""

    page: str
    name: str
    ask: Callable[[], int]
    explain: Callable[[], str]


@contextmanager
def asked() -> Iterator[list[Question]]:
    """Every question, as an analyst's: the one role that sees all pages and the gallery."""
    written = source.load()
    with connect() as connection:
        readers.take_on(connection, Role.ANALYST)

        def question(page: str, name: str, query: str) -> Question:
            def plan() -> str:
                return "\n".join(
                    line for (line,) in connection.execute(f"explain (analyze, buffers) {query}")
                )

            return Question(page, name, lambda: len(connection.execute(query).fetchall()), plan)

        charts = [
            question(page.title, chart.title, chart_query(written, page, name))
            for page in written.dashboards.values()
            for name, chart in page.charts.items()
        ]
        answers = [
            Question("示例查询", name, lambda query=query: len(gallery.run(connection, query)[1]), lambda: "")  # type: ignore[misc]
            for name, query in gallery.load_queries().items()
        ]
        yield charts + answers


def measured(questions: list[Question], rounds: int) -> dict[Question, tuple[int, list[float]]]:
    """Rows and waits in ms of each question; a first round fills caches and is not counted."""
    found = {question: (question.ask(), list[float]()) for question in questions}
    for _ in range(rounds):
        for question in questions:
            started = time.perf_counter()
            question.ask()
            found[question][1].append((time.perf_counter() - started) * 1000)
    return found


def report(found: dict[Question, tuple[int, list[float]]]) -> str:
    """Pages as wholes, then every question, slowest first."""
    pages: dict[str, list[float]] = {}
    for question, (_, waits) in found.items():
        pages.setdefault(question.page, []).extend(waits)
    slowest = sorted(found, key=lambda question: -percentile(found[question][1], 0.5))
    return "\n\n".join(
        [
            table(
                ["page", "queries", "p50 ms", "p95 ms", "longest ms"],
                [
                    [
                        page,
                        sum(question.page == page for question in found),
                        *(f"{percentile(waits, share):.0f}" for share in (0.5, 0.95, 1)),
                    ]
                    for page, waits in pages.items()
                ],
            ),
            table(
                ["page", "query", "rows", "p50 ms", "p95 ms"],
                [
                    [
                        question.page,
                        question.name,
                        found[question][0],
                        *(f"{percentile(found[question][1], share):.0f}" for share in (0.5, 0.95)),
                    ]
                    for question in slowest
                ],
            ),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, help="a generated city of so many instead of the demo's")
    parser.add_argument("--nights", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--explain", type=int, default=0, help="print the plans of so many of the slowest charts"
    )
    parser.add_argument("--save-as", help="default: dashboards_demo or dashboards_city")
    arguments = parser.parse_args()
    city = City.of(arguments.persons) if arguments.persons else None
    with published_city(city, arguments.nights) if city else nullcontext(), asked() as questions:
        found = measured(questions, arguments.rounds)
        slowest = sorted(questions, key=lambda question: -percentile(found[question][1], 0.5))
        for question in slowest[: arguments.explain]:
            print(f"\n{question.page} · {question.name}\n{question.explain()}")
        size = (
            f"{city.persons:,} persons, {city.organisations:,} organisations, {city.records:,} records, {arguments.nights} nights"
            if city
            else "The demo city"
        )
        over = [question.name for question, (_, waits) in found.items() if percentile(waits, 0.5) > GOAL]
        text = "\n\n".join(
            [
                "# Dashboards",
                f"{size}; {machine()}, load while measuring {os.getloadavg()[1]:.0f}. {arguments.rounds} rounds, one query at a time,"
                f" as `credit_analyst`. Over {GOAL:,} ms (p50): {'、'.join(over) or 'none'}.",
                report(found),
            ]
        )
    save(arguments.save_as or ("dashboards_city" if city else "dashboards_demo"), text)


if __name__ == "__main__":
    main()
