"""A night of the departments' own deliveries: every masked row, and only those, waits for a person."""

from __future__ import annotations

from credit_warehouse import pipeline
from credit_warehouse.database import connect
from simulator.city import FIRST_NIGHT
from tests.integration.conftest import Nights

DEBTOR = "court.dishonest_judgment_debtor"


def test_every_masked_row_waits_for_a_person(nights: Nights) -> None:
    key = nights.simulator.advance(FIRST_NIGHT)
    nights.intake(FIRST_NIGHT)
    found = pipeline.propose_matches(FIRST_NIGHT)
    masked = key.feeds[DEBTOR].masked
    assert masked > 0
    assert found.records == sum(night.masked for night in key.feeds.values())
    with connect() as connection:
        assert connection.execute(
            "select feed, count(*) from vault.unlinked_record group by feed"
        ).fetchall() == [(DEBTOR, masked)]
        assert connection.execute("select count(*) from ops.record_link").fetchone() == (0,)
        assert connection.execute(
            "select message, state from ops.outcome where step = 'propose_matches'"
        ).fetchall() == [(f"比对 {masked} 条记录，待审候选 {found.candidates} 个", "succeeded")]
