"""Gate 2: the truths a candidate publication must keep before readers see it.

Every query runs on a session pinned to the candidate, so ``mart.*`` means the candidate. Row-level truths are judged
on the rows that changed since they last held, the others on the whole (ARCHITECTURE decisions 4 and 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import great_expectations as gx
import great_expectations.expectations as gxe

from credit_warehouse.quality.candidate import Candidate
from expectations.publication import clocks, legality, marts, privacy, reconciliation

SUITE = "publication"


@dataclass(frozen=True)
class TableSuite:
    """The part of the suite that looks at one table: a mart, or ``ops.publication`` for the truths across tables."""

    table: str
    suite: gx.ExpectationSuite


def publication_suites(candidate: Candidate) -> Iterator[TableSuite]:
    """The whole suite for one candidate: first the truths across tables, then what is asked of each mart.

    Raises:
        ParameterMissing: a number that no contract holds is not entered.
    """
    across: list[gxe.Expectation] = [
        *reconciliation.expectations(candidate),
        *legality.expectations(candidate),
        *privacy.expectations(candidate),
        *clocks.expectations(candidate),
        *marts.versions(candidate),
    ]
    yield TableSuite("publication", gx.ExpectationSuite(name=SUITE, expectations=across))
    for mart in candidate.marts:
        yield TableSuite(
            mart.name, gx.ExpectationSuite(name=SUITE, expectations=[marts.row_count(candidate, mart)])
        )
