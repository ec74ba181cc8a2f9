"""A night without Airflow, for :mod:`bench.orchestration`: the verbs in the DAGs' order, in one process that has imported
everything. python -m bench.orchestration_bare 2026-03-04, in the environment of a running system."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import groupby

import airflow_local_settings

from credit_warehouse import pipeline
from credit_warehouse.contracts import load_contracts
from credit_warehouse.feedback.address import load_addresses
from credit_warehouse.hooks.sources import source_endpoint
from credit_warehouse.runtime import environment, simulator_service


def main(night: date) -> None:
    """Deliver, take in, publish, propose, return feedback."""
    for name in airflow_local_settings.USED_BY_TASKS:
        importlib.import_module(name)
    simulator_service.advance(environment.load(), night)
    feeds = {
        source: {contract.feed: contract.terms.delivery.connection for contract in contracts}
        for source, contracts in groupby(load_contracts().values(), key=lambda contract: contract.source)
    }

    def intake(source: str) -> None:
        endpoints = {feed: source_endpoint(connection) for feed, connection in feeds[source].items()}
        pipeline.pull_all(endpoints, night)
        pipeline.load_all(list(endpoints), night)
        pipeline.gate(source, night)
        pipeline.settle(source, night)

    def feedback(source: str) -> None:
        pipeline.return_feedback(source, night, source_endpoint(load_addresses()[source].connection))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(intake, feeds))
        published = pool.submit(pipeline.run_publication, night)
        list(pool.map(feedback, feeds))
        published.result()
    pipeline.propose_matches(night)


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]))
