"""The demo and three further nights through the real scheduler, as a user runs them from the shell.

One city, in order: the first night equals the answer key; the tax API is down on the second and made good; the gate
stops the third; the fourth publishes what the third left over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.e2e.system import OF_RECORDS, System

FIRST, TAX_DOWN, GATE_FAILS, AFTER = (date(2026, 3, day) for day in (2, 3, 4, 5))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    found = System(tmp_path_factory.mktemp("system"))
    yield found
    found.ok("clean")


def test_the_demo_ends_with_a_publication_equal_to_the_answer_key(system: System) -> None:
    output = system.ok("demo")
    assert "answer key" in output
    assert system.ledger(FIRST) == system.promised(FIRST)
    assert system.current()[1] == FIRST
    system.assert_core_is_the_truth_of(FIRST)
    for name in ("subject_credit_profile", "credit_record", "department_coverage_daily"):
        assert system.rows(f"select count(*) > 0 from mart.{name}") == [(True,)]
    coverage = system.rows(
        "select feed, delivered_rows, accepted_rows, rejected_rows, matched_rows from mart.department_coverage_daily"
        " where business_date = %s",
        FIRST,
    )
    assert {row[0]: row[1:4] for row in coverage} == system.promised(FIRST)
    assert {row[0]: row[4] for row in coverage if row[0] in OF_RECORDS} == {
        feed: night.matched for feed, night in system.key(FIRST).feeds.items() if feed in OF_RECORDS
    }


def test_a_second_demo_changes_nothing(system: System) -> None:
    before = (system.rows("select * from ops.batch order by 1"), system.current(), system.marts())
    system.ok("demo")
    assert (system.rows("select * from ops.batch order by 1"), system.current(), system.marts()) == before


def test_a_night_with_the_tax_api_down_publishes_without_it_and_again_when_it_is_back(system: System) -> None:
    system.departments.fault("down", source="tax")
    system.ok("nightly", TAX_DOWN.isoformat())
    without = system.current()
    assert without[1] == TAX_DOWN
    promised = system.promised(TAX_DOWN)
    found = system.ledger(TAX_DOWN)
    assert found == {feed: counts for feed, counts in promised.items() if not feed.startswith("tax.")}
    answers = dict(
        system.rows(
            "select feed, answer_state from mart.department_coverage_daily where business_date = %s", TAX_DOWN
        )
    )
    assert {feed for feed, state in answers.items() if state == "late"} == {
        feed for feed in promised if feed.startswith("tax.")
    }

    system.departments.clear("tax")
    system.ok("nightly", TAX_DOWN.isoformat(), "--source", "tax")
    assert system.current()[0] > without[0]
    assert system.ledger(TAX_DOWN) == promised
    system.assert_core_is_the_truth_of(TAX_DOWN)


def test_a_failing_gate_leaves_the_last_publication_and_says_why(system: System) -> None:
    before = (system.current(), system.marts())
    system.rows(
        "insert into ops.gate_parameter (name, scope, value, unit, source, valid_from, valid_to)"
        " values ('max_row_rise_share', 'queryable_credit_record', 0.0001, 'share', '演示：收紧增幅', %s, %s)",
        GATE_FAILS,
        GATE_FAILS,
    )
    output = system.ok("nightly", GATE_FAILS.isoformat())
    assert "publication.queryable_credit_record.row_count" in output
    assert (system.current(), system.marts()) == before
    assert system.ledger(GATE_FAILS) == system.promised(GATE_FAILS), "intake went on"
    (state, message), *_ = system.rows(
        "select state, message from ops.publication order by publication_id desc"
    )
    assert state == "discarded" and message
    told = system.rows(
        "select message, next_steps from ops.gate_result where gate = 'publication' and state = 'failed'"
    )
    assert told and all(message and steps for message, steps in told)


def test_the_next_night_publishes_what_the_failed_one_left(system: System) -> None:
    system.ok("nightly", AFTER.isoformat())
    assert system.current()[1] == AFTER
    assert system.ledger(AFTER) == system.promised(AFTER)
    system.assert_core_is_the_truth_of(AFTER)


def test_rollback_and_a_full_rebuild_give_what_was_there(system: System) -> None:
    published = system.marts()
    number, _ = system.current()
    system.ok("publish", "--rollback", "--reason", "演练")
    assert system.current()[0] < number
    assert system.marts() != published
    system.ok("publish", "--rollback", "--to", str(number), "--reason", "演练结束")
    assert system.marts() == published
    system.ok("publish", "--date", AFTER.isoformat(), "--full-refresh")
    assert system.current()[0] > number
    rebuilt = system.marts()
    changed = {mart for mart in rebuilt if rebuilt[mart] != published[mart]}
    assert changed <= {"exchange_status"}, (
        "row for row what four nights built, and what the province said since"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("feeds",),
        ("batches",),
        ("batches", "--feed", "court.judgment_enforcement"),
        ("quarantine",),
        ("quarantine", "--rows"),
        ("publications",),
        ("doctor",),
        ("status",),
    ],
)
def test_the_command_line_shows_it(system: System, words: tuple[str, ...]) -> None:
    assert len(system.ok(*words).splitlines()) > 3
