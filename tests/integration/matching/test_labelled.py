"""Candidates against the truth: exact figures of a small seeded set with look-alikes."""

from __future__ import annotations

from bench import labelled_city
from bench.labelled_city import Quality
from credit_warehouse import pipeline
from credit_warehouse.database import connect
from simulator.labelled import DECIDED_ON, labelled_set


def test_every_true_candidate_is_listed_or_has_its_reason(warehouse: str) -> None:
    labelled = labelled_set(seed=7, persons=400, organisations=300, records=100)
    labelled_city.deliver(labelled)
    pipeline.propose_matches(DECIDED_ON)

    assert labelled_city.judge(labelled, "person") == Quality(
        records=100,
        with_subject=85,
        proposed=101,
        right=80,
        confident=89,
        confident_right=75,
        first=78,
        missed={"a visible digit contradicts the number": 5},
    )
    assert labelled_city.judge(labelled, "organisation") == Quality(
        records=100,
        with_subject=90,
        proposed=98,
        right=85,
        confident=52,
        confident_right=52,
        first=81,
        missed={"misspelt, and nothing else to look it up by": 5},
    )
    assert labelled_city.links() == 0, "no link without a person's decision"


def test_a_contradiction_is_never_a_candidate(warehouse: str) -> None:
    labelled = labelled_set(seed=8, persons=300, organisations=1, records=100)
    labelled_city.deliver(labelled)
    pipeline.propose_matches(DECIDED_ON)
    with connect() as connection:
        pairs = connection.execute(
            "select number, id_value from vault.match_candidate join vault.unlinked_record using (record_key)"
            " join vault.identity using (subject_key) where number like '%****%'"
        ).fetchall()
    assert len(pairs) > 60
    for masked, number in pairs:
        assert all(seen in ("*", real) for seen, real in zip(masked, number, strict=True))
