"""The same work on the same thing is done by one at a time, whoever asks."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from credit_warehouse import pipeline, publication
from credit_warehouse.connections import Endpoint
from credit_warehouse.database import alone
from credit_warehouse.settings import get_settings
from credit_warehouse.troubles import LOCK_TIMEOUT

NIGHT = date(2026, 3, 2)
NOWHERE = Endpoint("postgres", "127.0.0.1", 1, "nobody", "")


@pytest.fixture(autouse=True)
def impatient(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_LOCK_TIMEOUT_SECONDS", "1")
    get_settings.cache_clear()


def test_two_pulls_of_a_feed_do_not_ask_for_the_same_window() -> None:
    feed = "social_security.wage_arrears_list"
    with alone("pull", feed), pytest.raises(psycopg.errors.LockNotAvailable) as caught:
        pipeline.pull(feed, NIGHT, NOWHERE)
    assert LOCK_TIMEOUT.advice in caught.value.__notes__


def test_a_load_that_finds_the_ledger_locked_says_what_to_do(warehouse: str) -> None:
    with psycopg.connect(warehouse) as holder:
        holder.execute("lock table ops.batch in access exclusive mode")
        with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
            pipeline.load_all(["court.debtor_change"], NIGHT)
    assert LOCK_TIMEOUT.advice in caught.value.__notes__


def test_two_builds_do_not_write_each_others_affected_sets() -> None:
    candidate = publication.open_candidate(NIGHT)
    assert candidate is not None
    with alone("build"), pytest.raises(psycopg.errors.LockNotAvailable):
        pipeline.build("core", candidate.publication_id)


def test_who_was_taken_over_is_told_so_and_by_whom() -> None:
    first = publication.open_candidate(NIGHT, run_id="scheduled")
    second = publication.open_candidate(NIGHT, run_id="manual")
    assert first is not None and second is not None
    for late in (
        lambda: pipeline.build("marts", first.publication_id),
        lambda: pipeline.publish(first.publication_id),
    ):
        with pytest.raises(publication.PublicationError, match="由后来的运行 manual 接手") as caught:
            late()
        assert "重跑当晚即可" in str(caught.value)
    pipeline.discard(first.publication_id, "again, as the DAG does")
    assert publication.candidate_of(second.publication_id).state == "candidate", "the later one goes on"
