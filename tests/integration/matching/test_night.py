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
    with connect() as connection:
        waiting = dict(
            connection.execute("select feed, count(*) from vault.unlinked_record group by feed").fetchall()
        )
        assert waiting.pop(DEBTOR) == masked
        # Organisations of the old generation that carry an old tax number only.
        assert set(waiting) <= {
            f"market_regulation.administrative_{kind}_v2016" for kind in ("licence", "penalty")
        }
        assert found.records == masked + sum(waiting.values())
        assert connection.execute("select count(*) from ops.record_link").fetchone() == (0,)
        assert connection.execute(
            "select message, state from ops.outcome where step = 'propose_matches'"
        ).fetchall() == [(f"比对 {found.records} 条记录，待审候选 {found.candidates} 个", "succeeded")]
