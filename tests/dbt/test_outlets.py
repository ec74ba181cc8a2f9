"""Whatever shows records or subjects lets go of a removed one at once, in every publication. The outlets are those there are:
a new relation or function of the mart schema fails here until somebody says how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from credit_warehouse import changes, publication
from credit_warehouse.changes import ChangeKind, ChangeRefused
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.settings import PROJECT_DIR, get_settings
from tests import databases

from .city import Row, deliver, key_of
from .dbt_process import dbt
from .recount import miscounted, show_small_counts

NIGHT = date(2026, 3, 2)
PENALTY = "market_regulation.administrative_penalty"
DEBTOR = "court.dishonest_judgment_debtor"
SUBJECT = key_of("A")
REMOVED, KEPT, LISTED = key_of(PENALTY, "P1"), key_of(PENALTY, "P2"), key_of(DEBTOR, "D1")

WITHOUT_RECORDS = {
    "department_coverage_daily": "counts of deliveries by night and feed",
    "catalogue_refusal": "counts of refused rows by night, feed and rule",
    "catalogue_item": "the catalogue itself",
    "feed": "the feeds themselves",
    "exchange_status": "counts of what went up to the province by night and feed",
    "objection": "procedures; says nothing of the record",
    "population_movement": "counts of members by population, group, district and day",
    "population_coverage": "counts of members by population, group, district and day",
    "reporting_delay_daily": "counts of records by night, feed, district and working days",
    "district_daily": "counts of deliveries by night, feed and district",
    "reporting_period": "periods by feed, and when they were reported",
    "spot_check_monthly": "counts of checks by month and feed",
    "declared_production_monthly": "counts of decisions by month and feed",
    "repair": "procedures; says nothing of the record",
    "feed_count_monthly": "counts by month and feed",
    "department_metric_monthly": "metrics by month, department and feed",
    "domain_metric_monthly": "metrics by month and domain",
    "district_metric_monthly": "metrics by month and district",
    "appraisal_indicator": "the score sheet",
    "appraisal_entry": "points officers gave departments",
    "appraisal_point": "points of departments",
    "appraisal_score": "scores of departments",
    "department_ranking_monthly": "scores of departments by month",
    "publication": "the publications themselves",
    "plan_task": "the plans' tasks",
    "plan_task_unit": "units that answer for tasks",
    "plan_target": "the plans' targets",
    "plan_target_measure": "counts by target and day",
    "plan_evidence": "evidence of the plans' progress",
    "plan_status_history": "status of tasks and targets",
    "plan_task_status": "status of tasks",
    "plan_target_status": "status of targets",
    "plan_day": "days",
    "plan_standing": "status of tasks and targets",
    "feedback_item": "returned rows by batch and row: codes and field names, nothing of their content",
    "feedback_daily": "counts of returned rows by night and feed",
    "feedback_delay_daily": "counts of corrected rows by night and working days",
    "broken_rule_daily": "counts of returned rows by night, feed and error code",
    "department_delay_daily": "counts of records by night, feed and working days",
    "credit_record_count_monthly": "counts of records, small ones hidden",
    "credit_record_tally": "counts of records by cell, for no reader",
    "credit_subject_tally": "counts of subjects by kind, for no reader",
    "credit_subject_count": "counts of subjects, small ones hidden",
    "serious_list_flow_monthly": "counts of list entries, small ones hidden",
    "correction_flow_monthly": "counts of procedures, small ones hidden",
    "night_run": "runs of the nights",
    "gate_result_daily": "counts of judgements",
    "waiver_standing": "waivers of expectations",
}
"""Relations of the mart schema that hold neither records nor subjects, and why."""


@pytest.fixture(scope="module")
def built(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[int]]]:
    """Database with two publications of one subject with two penalties and a list entry, the second current."""
    name = databases.create(postgres_server, warehouse_template)
    numbers: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("outlets"))
        old = datetime.combine(NIGHT - timedelta(days=9), time(8))
        penalty = {"decision_date": NIGHT, "valid_until": date(2099, 12, 31)}
        debtor = {"published_on": NIGHT, "filing_date": NIGHT}
        common = {"party_name": "甲公司", "updated_at": old}
        deliver(PENALTY, NIGHT, [Row("P1", "A", penalty | common), Row("P2", "A", penalty | common)])
        deliver(DEBTOR, NIGHT, [Row("D1", "A", debtor | common)])
        for night in (NIGHT, NIGHT + timedelta(days=1)):
            candidate = publication.open_candidate(night, full_refresh=True)
            assert candidate is not None
            if not numbers:
                dbt(patch, PROJECT_DIR / "dbt_project", candidate.publication_id, night, "seed")
            _build(patch, candidate.publication_id, night)
            publication.publish(candidate.publication_id, "test")
            numbers.append(candidate.publication_id)
        with connect() as connection:
            show_small_counts(connection)
    yield name, numbers
    databases.drop(postgres_server, name)


@pytest.fixture
def city(
    built: tuple[str, list[int]], postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, int]]:
    """The numbers of both publications, in a database of this test."""
    name = databases.create(postgres_server, built[0])
    databases.use(monkeypatch, postgres_server, name, tmp_path)
    yield built[1][0], built[1][1]
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


def _build(patch: pytest.MonkeyPatch, candidate: int, night: date) -> None:
    dbt(patch, PROJECT_DIR / "dbt_project", candidate, night, "run", "--select", "staging core marts audit")


def outlets() -> dict[str, Callable[[psycopg.Connection], Any]]:
    """Every relation and function of the mart schema, with what it says about the three records or their subject."""
    with connect() as connection:
        relations = connection.execute(
            "select table_name, array_agg(column_name::text) from information_schema.columns"
            " where table_schema = 'mart' group by table_name"
        ).fetchall()
        functions = connection.execute(
            "select proname from pg_proc where pronamespace = 'mart'::regnamespace"
        ).fetchall()
    found: dict[str, Callable[[psycopg.Connection], Any]] = {}
    for name, columns in relations:
        if "record_key" in columns:
            found[name] = _records(name)
        elif "subject_key" in columns:
            found[name] = _figures(name)
        else:
            assert name in WITHOUT_RECORDS, f"mart.{name} is new: does it show records? Say so here"
    assert functions == [("no_adverse_record",)], "a function of the mart schema is new: look at it here"
    found["no_adverse_record()"] = _adverse
    return found


def _records(name: str) -> Callable[[psycopg.Connection], Any]:
    def look(connection: psycopg.Connection) -> set[UUID]:
        query = sql.SQL("select record_key from mart.{} where subject_key = %s").format(sql.Identifier(name))
        return {row[0] for row in connection.execute(query, [SUBJECT])}

    return look


def _figures(name: str) -> Callable[[psycopg.Connection], Any]:
    def look(connection: psycopg.Connection) -> list[Any]:
        query = sql.SQL(
            "select adverse_records, penalties, list_entries, lists from mart.{} where subject_key = %s"
        )
        return connection.execute(query.format(sql.Identifier(name)), [SUBJECT]).fetchall()

    return look


def _adverse(connection: psycopg.Connection) -> int:
    row = connection.execute("select adverse_records from mart.no_adverse_record(%s)", [SUBJECT]).fetchone()
    assert row is not None
    return int(row[0])


LIST = "失信被执行人名单"
ALL = {REMOVED, KEPT, LISTED}
WITH = {
    "queryable_credit_record": ALL,
    "credit_record": ALL,
    "serious_list_entry": {LISTED},
    "subject_credit_profile": [(3, 2, 1, [LIST])],
    "no_adverse_record()": 3,
}
WITHOUT_PENALTY = {
    "queryable_credit_record": {KEPT, LISTED},
    "credit_record": {KEPT, LISTED},
    "serious_list_entry": {LISTED},
    "subject_credit_profile": [(2, 1, 1, [LIST])],
    "no_adverse_record()": 2,
}
WITHOUT_ENTRY = {
    "queryable_credit_record": {REMOVED, KEPT},
    "credit_record": {REMOVED, KEPT},
    "serious_list_entry": set(),
    "subject_credit_profile": [(2, 2, 0, [])],
    "no_adverse_record()": 2,
}


def seen(as_of: int | None = None, role: str | None = None) -> dict[str, Any]:
    """What every outlet says, in one session; the aggregates say the same of the records it shows."""
    with connect(as_of) as connection:
        assert not miscounted(connection)
        if role:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        return {name: look(connection) for name, look in outlets().items()}


def test_every_outlet_is_looked_at(city: tuple[int, int]) -> None:
    first, second = city
    assert seen() == seen(first) == seen(second) == seen(role="credit_analyst") == WITH


@pytest.mark.parametrize("kind", [ChangeKind.REVOCATION, ChangeKind.REPAIR, ChangeKind.OBJECTION_UPHELD])
def test_a_removal_holds_at_once_after_a_rollback_and_as_of_every_publication(
    city: tuple[int, int], monkeypatch: pytest.MonkeyPatch, kind: ChangeKind
) -> None:
    first, second = city
    night = NIGHT + timedelta(days=1)
    if kind is ChangeKind.OBJECTION_UPHELD:
        changes.enter(REMOVED, ChangeKind.OBJECTION_FILED, night, "受理1号", "姓名有误", "王主任", "异议1")
        assert seen() == WITH, "an open objection marks the record and hides nothing"
        with connect() as connection:
            marked = connection.execute(
                "select record_key from mart.credit_record where is_under_objection"
            ).fetchall()
        assert marked == [(REMOVED,)], "and marks it at once"
    number = changes.enter(
        REMOVED, kind, night, "决1号", "理由", "王主任", "异议1" if "objection" in kind else None
    )
    for as_of in (None, first, second):
        assert seen(as_of) == seen(as_of, "credit_analyst") == WITHOUT_PENALTY
    publication.rollback(first, "test", "test")
    assert seen() == WITHOUT_PENALTY, "a rollback brings nothing back"
    publication.rollback(second, "test", "test")

    third = publication.open_candidate(night)
    assert third is not None, "a change is reason enough for a publication"
    _build(monkeypatch, third.publication_id, night)
    publication.publish(third.publication_id, "test")
    for as_of in (None, first, second, third.publication_id):
        assert seen(as_of) == WITHOUT_PENALTY
    with connect() as connection:
        history = connection.execute(
            "select valid_from_publication, valid_to_publication, suppressed_by, suppressing_event_id"
            " from audit.credit_record_history where record_key = %s",
            [REMOVED],
        ).fetchall()
        entered = connection.execute(
            "select kind, document_no, reason, entered_by from audit.record_change where event_id = %s",
            [number],
        ).fetchone()
    assert history == [(first, third.publication_id, str(kind), number)]
    assert entered == (str(kind), "决1号", "理由", "王主任")

    changes.enter(REMOVED, ChangeKind.REINSTATEMENT, night, "决2号", "前决定撤销", "王主任")
    assert seen(second) == WITH, "a removal that is taken back never was"
    assert seen() == WITHOUT_PENALTY, "the current publication has to be built again for it"
    fourth = publication.open_candidate(night)
    assert fourth is not None
    _build(monkeypatch, fourth.publication_id, night)
    publication.publish(fourth.publication_id, "test")
    assert seen() == WITH


def test_the_senders_withdrawal_holds_from_its_acceptance(city: tuple[int, int]) -> None:
    first, _ = city
    day = NIGHT + timedelta(days=2)
    late = {"published_on": NIGHT, "filing_date": NIGHT, "updated_at": datetime.combine(day, time(9))}
    batch = deliver(DEBTOR, day, [Row("D1", "A", late, is_withdrawal=True)])
    assert seen() == WITH
    with connect() as connection:
        changes.take_in(connection, load_contracts()[DEBTOR], batch)
    assert seen() == seen(first) == WITHOUT_ENTRY


def test_a_correction_comes_back_and_what_was_wrong_never(
    city: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = city
    night = NIGHT + timedelta(days=2)
    deliver(DEBTOR, night, [])
    changes.enter(REMOVED, ChangeKind.OBJECTION_FILED, night, "受理", "金额有误", "王主任", "异议1")
    changes.enter(REMOVED, ChangeKind.OBJECTION_UPHELD, night, "决", "属实", "王主任", "异议1")
    right = {
        "party_name": "甲公司", "decision_date": NIGHT, "valid_until": date(2099, 12, 31),
        "updated_at": datetime.combine(night, time(9)),
    }  # fmt: skip
    deliver(PENALTY, night, [Row("P1", "A", right)])
    changes.enter(REMOVED, ChangeKind.CORRECTION, night, "更正函", "已更正", "王主任")
    third = publication.open_candidate(night)
    assert third is not None
    _build(monkeypatch, third.publication_id, night)
    publication.publish(third.publication_id, "test")
    assert seen() == WITH
    assert seen(first) == WITHOUT_PENALTY, "an old publication holds the wrong version"


def test_expiry_needs_no_night(city: tuple[int, int]) -> None:
    """The penalties may be displayed for three years, the list entry for two; nothing is built any more."""
    with connect() as connection:
        _let_pass(connection, date(2028, 3, 2))
    assert seen() == WITH, "the last day still counts"
    with connect() as connection:
        _let_pass(connection, date(2028, 3, 3))
    assert seen()["credit_record"] == {REMOVED, KEPT}
    assert seen()["subject_credit_profile"] == [(2, 2, 0, [])]
    assert seen()["queryable_credit_record"] == ALL, "it may still be looked up"
    with connect() as connection:
        _let_pass(connection, date(2031, 3, 3))
    assert seen()["queryable_credit_record"] == {LISTED}, (
        "five years after the finding a penalty is used no more"
    )
    assert seen(city[0])["credit_record"] == set()


def _let_pass(connection: psycopg.Connection, day: date) -> None:
    """The legal day of a city of nights is its newest one."""
    connection.execute("alter table ops.publication disable trigger all")
    connection.execute(
        "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes, state,"
        " contract_version) values (%s, %s, %s, %s, repeat('a', 64), 'x', 1, 'landed', '1')",
        [PENALTY, day, day, str(day)],
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": ChangeKind.REINSTATEMENT}, "无需恢复"),
        ({"kind": ChangeKind.CORRECTION}, "没有待更正的成立异议"),
        ({"kind": ChangeKind.OBJECTION_UPHELD, "objection_no": "异议9"}, "没有编号为 异议9 的未结异议"),
        ({"kind": ChangeKind.OBJECTION_FILED}, "异议类变更须有异议编号"),
        ({"kind": ChangeKind.SEVERITY_FINDING}, "失信程度认定须有程度"),
        ({"kind": ChangeKind.REPAIR, "effective_on": NIGHT + timedelta(days=30)}, "晚于今天"),
        ({"kind": ChangeKind.REPAIR, "reason": " "}, "文书号和理由不能为空"),
        ({"kind": ChangeKind.REPAIR, "record_key": key_of("nobody")}, "没有主键为"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_with_what_to_do(
    city: tuple[int, int], entry: dict[str, Any], said: str
) -> None:
    given = {
        "record_key": REMOVED,
        "effective_on": NIGHT,
        "document_no": "决",
        "reason": "因",
        "by": "王主任",
    } | entry
    with pytest.raises(ChangeRefused, match=said):
        changes.enter(**given)
    assert seen() == WITH


def test_an_officer_enters_into_the_table_under_his_own_name(city: tuple[int, int]) -> None:
    with connect() as connection:
        connection.execute("create role officer_of_test login in role credit_officer")
        connection.execute("set session authorization officer_of_test")
        connection.execute(
            "insert into ops.record_event (record_key, kind, effective_on, document_no, reason)"
            " values (%s, 'repair', %s, '决', '因')",
            [REMOVED, NIGHT],
        )
        assert connection.execute("select entered_by from ops.record_event").fetchall() == [
            ("officer_of_test",)
        ]
        for forbidden in (
            "update ops.record_event set reason = 'x'",
            "delete from ops.record_event",
            "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, entered_by)"
            " values (gen_random_uuid(), 'repair', '2026-03-02', 'x', 'x', 'somebody else')",
            "select * from ops.suppression",
            "select * from mart.credit_record",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(forbidden)
        connection.execute("reset session authorization")
        with pytest.raises(psycopg.errors.RaiseException, match="只能追加"), connection.transaction():
            connection.execute("delete from ops.record_event")
        connection.execute("drop owned by officer_of_test")
        connection.execute("drop role officer_of_test")
    assert seen() == WITHOUT_PENALTY
