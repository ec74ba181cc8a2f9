"""For every record and every day: it is visible exactly when catalogue, document, clocks and changes say so."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from credit_warehouse import publication
from credit_warehouse.catalogue import load_catalogue
from credit_warehouse.database import connect
from credit_warehouse.settings import PROJECT_DIR, get_settings

from .city import Row, deliver, key_of
from .dbt_process import dbt
from .histories import (
    DEBTOR,
    FIRST_NIGHT,
    NIGHTS,
    Event,
    Generator,
    History,
    Standing,
    Version,
    standing,
    wrong_through,
)

RECORDS = int(os.environ.get("CREDIT_TEST_HISTORIES", "3000"))
"""Histories per run."""

DAYS = [FIRST_NIGHT + timedelta(days=number) for number in range(NIGHTS)]
LATER = [date(2026, 9, 1), date(2027, 3, 31), date(2028, 4, 1), date(2029, 5, 2), date(2031, 3, 2)]
"""Days on which nothing is delivered any more and clocks go on."""


@pytest.fixture
def city(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[History], str, int]]:
    """Histories in the warehouse, the SQL of core.credit_record for any day, and the candidate it belongs to."""
    generator = Generator(seed=20260401)
    histories = [generator.history(number) for number in range(RECORDS)]
    candidate = publication.open_candidate(FIRST_NIGHT, full_refresh=True)
    assert candidate is not None
    project = PROJECT_DIR / "dbt_project"
    for arguments in (["seed"], ["run", "--select", "staging core marts"]):
        dbt(monkeypatch, project, candidate.publication_id, FIRST_NIGHT, *arguments)
    dbt(
        monkeypatch,
        project,
        candidate.publication_id,
        FIRST_NIGHT,
        "compile",
        "--full-refresh",
        "--select",
        "credit_record",
    )
    compiled = next(Path(get_settings().dbt_target_dir).rglob("compiled/**/core/credit_record.sql"))
    yield histories, compiled.read_text(), candidate.publication_id


def test_every_record_is_visible_exactly_when_the_rules_say_so(
    city: tuple[list[History], str, int],
) -> None:
    histories, compiled, candidate = city
    catalogue = load_catalogue()
    by_key = {key_of(history.feed, history.name): history for history in histories}
    judged = 0
    for day in [*DAYS, *LATER]:
        _one_day(histories, day, candidate)
        found = _as_core_sees_it(compiled, day, candidate)
        expected = {key: standing(history, day, catalogue) for key, history in by_key.items()}
        wrong = {
            by_key[key].name: (expected[key], found.get(key, Standing(False)))
            for key in by_key
            if expected[key] != found.get(key, Standing(False))
        }
        first = next(iter(wrong), None)
        assert not wrong, f"{day}: {len(wrong)} wrong, e.g. {wrong[first]} of {_named(histories, first)}"
        judged += sum(place.queryable for place in expected.values())
    assert judged > RECORDS, "the histories say something on most days"


def test_the_histories_reach_every_rule() -> None:
    generator = Generator(seed=20260401)
    histories = [generator.history(number) for number in range(RECORDS)]
    catalogue = load_catalogue()
    places = {standing(history, day, catalogue) for history in histories for day in (*DAYS[::10], *LATER)}
    assert places == {
        Standing(False),
        Standing(True),
        Standing(True, displayed=True),
        Standing(True, marked=True),
        Standing(True, displayed=True, marked=True),
    }
    kinds = {event.kind for history in histories for event in history.events}
    assert len(kinds) == 8
    assert any(not history.versions[0].withdrawn and history.feed == DEBTOR for history in histories)


def _named(histories: list[History], name: str | None) -> History:
    return next(history for history in histories if history.name == name)


def _one_day(histories: list[History], day: date, candidate: int) -> None:
    """What departments deliver and officers enter on ``day``."""
    rows: dict[str, list[Row]] = {}
    for history in histories:
        for version in history.versions:
            if version.night == day:
                rows.setdefault(history.feed, []).append(_row(history, version))
    batches = [deliver(feed, day, of_feed) for feed, of_feed in rows.items()]
    with connect() as connection:
        connection.execute(
            "update ops.publication set business_date = %s where publication_id = %s", [day, candidate]
        )
        for batch in batches:
            connection.execute("insert into ops.publication_batch values (%s, %s)", [candidate, batch])
        for history in histories:
            for event in history.events:
                if event.on == day:
                    _enter(connection, history, event)
        connection.execute(
            "update ops.publication set events_through = (select coalesce(max(event_id), 0) from ops.record_event)"
            " where publication_id = %s",
            [candidate],
        )


def _enter(connection: psycopg.Connection, history: History, event: Event) -> None:
    known = [entered for entered in history.events if entered.on <= event.on]
    number = connection.execute(
        "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, objection_no, severity)"
        " values (%s, %s, %s, '文号', '理由', %s, %s) returning event_id",
        [key_of(history.feed, history.name), event.kind, event.on, event.objection_no, event.severity],
    ).fetchone()
    assert number is not None
    if event.kind in ("objection_upheld", "correction"):
        # Core is not rebuilt every night here: what it would have known is put in by hand.
        connection.execute("alter table ops.record_event disable trigger is_append_only")
        connection.execute(
            "update ops.record_event set corrects_through = %s where event_id = %s",
            [wrong_through(history, known), number[0]],
        )
        connection.execute("alter table ops.record_event enable trigger is_append_only")


def _row(history: History, version: Version) -> Row:
    values = {"updated_at": version.updated_at}
    if history.feed == DEBTOR:
        values |= {
            "published_on": version.decided_on,
            "removed_on": version.removed_on,
            "filing_date": version.decided_on,
        }
    else:
        values |= {"decision_date": version.decided_on, "valid_until": version.valid_until}
        if version.display_until:
            values["display_until"] = version.display_until
    return Row(history.name, history.name, values, version.withdrawn)


def _as_core_sees_it(compiled: str, day: date, candidate: int) -> dict[object, Standing]:
    """The model's own SQL, for another day."""
    statement = re.sub(rf"date '{FIRST_NIGHT}'", f"date '{day}'", compiled)
    with connect(candidate) as connection:
        rows = connection.execute(
            f"select record_key, status, is_under_objection from ({statement}) as record"
        ).fetchall()
    return {
        key: Standing(True, status == "in_force", marked)
        for key, status, marked in rows
        if status in ("in_force", "ended", "expired")
    }
