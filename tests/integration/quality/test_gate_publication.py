"""Gate 2 on a city built by dbt: every expectation holds on good data, and fails on data that breaks it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import date

import pytest

from credit_warehouse import publication, quality
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect, database_url
from credit_warehouse.quality import Severity, State
from credit_warehouse.settings import get_settings

from .city import FIRST_NIGHT, PERSON, PERSON_ID, SECOND_NIGHT, plant_batch

WORDS = {
    "appraisal_entry": "reason",
    "appraisal_indicator": "indicator_label",
    "catalogue_item": "catalogue_item_name",
    "catalogue_refusal": "catalogue_item_code",
    "credit_record_tally": "authority_name",
    "credit_subject_tally": "record_category",
    "declared_production_monthly": "department_code",
    "department_coverage_daily": "feed_label",
    "district_daily": "district_code",
    "exchange_status": "feed_label",
    "feed": "list_name",
    "feedback_item": "fields",
    "objection": "deadline_source",
    "plan_evidence": "note",
    "plan_status_history": "rule_text",
    "plan_target": "metric",
    "plan_task": "task",
    "plan_task_unit": "unit_name",
    "population_movement": "district",
    "queryable_credit_record": "title",
    "repair": "deadline_source",
    "reporting_delay_daily": "district_code",
    "reporting_period": "state",
    "spot_check_monthly": "department_code",
    "subject_credit_profile": "lists",
}
"""Every mart, and a column of it that holds words."""

MARTS = tuple(WORDS)
LISTS = ("fields", "lists")
NUMBERS = {
    "queryable_credit_record": f"被执行人证件{PERSON_ID}号",
    "subject_credit_profile": "4413021985****123X",
    "department_coverage_daily": PERSON_ID.lower(),
    # A wrong check digit, but born long ago.
    "catalogue_item": "990101198507010010",
}
"""Resident IDs as they might stand there; elsewhere plainly."""
CHANGED = "valid_from_publication = 2"
KEYS = re.compile(
    "record_key|subject_key|feed|platform|batch_id|month|year|department_code|indicator_code|valid_from|repair_id|coverage_key|period_end"
    "|district_code|delay_workdays|item_code|task_code|target_code|unit_code|today_code|role|evidence_id|held_from|source_row|business_date|publication_id|column_name|state|displayed_until"
    "|measure|record_category|effect|subject_type|authority_key|list_name|newest|age_days|status|rule|field|version|objection_id|rejection_id|event_id|catalogue_item_code|difference|open_versions|[a-z]+_rows|[a-z]+_records|ledger_delivered|mart_delivered"
)
"""What an example may show: keys, dates and counts."""


@dataclass(frozen=True)
class Violation:
    """Statements that break something, and the expectations that must say so."""

    name: str
    statements: tuple[str, ...]
    fails: frozenset[str]


def _violation(name: str, statements: str | list[str], *ids: str) -> Violation:
    listed = (statements,) if isinstance(statements, str) else tuple(statements)
    return Violation(name, listed, frozenset(f"publication.{id_}" for id_ in ids))


def _written(mart: str, column: str) -> str:
    number = NUMBERS.get(mart, PERSON_ID)
    return f"array['{number}']" if column in LISTS else f"'{number}'"


def _per_mart(suffix: str, *marts: str) -> list[str]:
    return [f"{mart}.{suffix}" for mart in marts]


VIOLATIONS = (
    _violation(
        "ledger does not add up",
        "update ops.batch set accepted_rows = null where feed = 'tax.tax_arrears'",
        "ledger.balance",
    ),
    _violation(
        "accepted rows are not there",
        [
            "insert into ops.publication_batch select 2, batch_id from ops.batch where feed = 'tax.tax_arrears'",
            "update ops.batch set accepted_rows = accepted_rows + 1, quarantined_rows = quarantined_rows - 1"
            " where feed = 'tax.tax_arrears'",
        ],
        "ledger.accepted_rows",
        "department_coverage_daily.ledger",
    ),
    _violation(
        "core counts a row twice",
        "update core.credit_record set versions = versions + 1 where feed = 'tax.tax_arrears'",
        "core.versions",
    ),
    _violation(
        "a record is lost on the way to the mart",
        "delete from mart_store.queryable_credit_record where record_key = (select min(record_key::text)::uuid from mart.credit_record)",
        "credit_record.matches_core",
    ),
    _violation(
        "a profile counts a neutral record as adverse",
        "update mart_store.subject_credit_profile set adverse_records = adverse_records + 1,"
        f" neutral_records = neutral_records - 1, {CHANGED} where subject_type = 'person'",
        "subject_credit_profile.counts",
    ),
    _violation(
        "a profile counts a record twice",
        "update mart_store.subject_credit_profile set records_in_force = records_in_force + 1",
        "subject_credit_profile.total",
    ),
    _violation(
        "on time without a denominator",
        "update mart_store.department_coverage_daily set timed_records = null, on_time_records = 1",
        "department_coverage_daily.shares",
    ),
    _violation(
        "more on time than were timed",
        "update mart_store.department_coverage_daily set on_time_records = timed_records + 1",
        "department_coverage_daily.shares",
    ),
    _violation(
        "records without catalogue item, basis, document, tier",
        "update mart_store.queryable_credit_record set catalogue_item_code = 'XY-99', legal_basis = ' ', document_no = '',"
        f" sharing_tier = 'secret', {CHANGED} where effect = 'adverse'",
        "credit_record.catalogue_item",
        "credit_record.legal_basis",
        "credit_record.document_no",
        "credit_record.sharing_tier",
    ),
    _violation(
        "resident IDs in text",
        [
            f"update mart_store.{mart} set {column} = {_written(mart, column)}, {CHANGED}"
            f" where ctid = (select min(ctid) from mart_store.{mart})"
            for mart, column in WORDS.items()
        ],
        *_per_mart("resident_id", *MARTS),
    ),
    _violation(
        "names of persons in clear",
        [
            f"update mart_store.queryable_credit_record set party_name = '欧阳样例', {CHANGED} where subject_type = 'person'",
            f"update mart_store.subject_credit_profile set display_name = '欧阳样例', {CHANGED} where subject_type = 'person'",
        ],
        *_per_mart("person_name", "queryable_credit_record", "subject_credit_profile"),
    ),
    _violation(
        "a minor",
        "update vault.identity set id_value = '990101200803020013'",
        "queryable_credit_record.minor",
    ),
    _violation(
        "past its display",
        f"update mart_store.queryable_credit_record set displayed_until = '{FIRST_NIGHT}' where subject_type = 'person'",
        "credit_record.display_period",
    ),
    _violation(
        "past its validity",
        f"update mart_store.queryable_credit_record set valid_until = '{FIRST_NIGHT}' where subject_type = 'person'",
        "credit_record.display_period",
    ),
    _violation(
        "older than the catalogue lets it be shown",
        "update mart_store.queryable_credit_record set display_started_on = '2016-02-02' where subject_type = 'person'",
        "credit_record.display_period",
    ),
    _violation(
        "past its use",
        f"update mart_store.queryable_credit_record set usable_until = '{FIRST_NIGHT}' where subject_type = 'person'",
        "credit_record.display_period",
    ),
    _violation(
        "repaired, and core does not know",
        [
            "insert into ops.record_event (record_key, kind, effective_on, document_no, reason)"
            " select record_key, 'repair', '2026-03-02', '决', '因' from mart.credit_record where subject_type = 'person'",
            "update ops.publication set events_through = 99",
        ],
        "credit_record.removed",
    ),
    _violation(
        "taken back by its department",
        "update raw.court__dishonest_judgment_debtor set is_withdrawal = true where source_row = 101",
        "credit_record.withdrawn",
    ),
    _violation(
        "every feed is stale",
        "update ops.batch set delivered_for = delivered_for - 1000",
        *(f"freshness.{feed}" for feed in load_contracts()),
    ),
    _violation(
        "a feed that never began",
        "insert into ops.feed"
        ' select (jsonb_populate_record(known, \'{"feed": "tax.new"}\')).* from ops.feed as known limit 1',
        "feeds.never_delivered",
    ),
    _violation(
        "half of every mart is gone",
        [
            f"update mart_store.{mart} set valid_to_publication = 2 where ctid in"
            f" (select ctid from mart_store.{mart} limit (select 1 + count(*) / 2 from mart_store.{mart}))"
            for mart in MARTS
        ],
        *_per_mart("row_count", *MARTS),
    ),
    _violation(
        "two versions of one key",
        [
            f"create temporary table twin as select * from mart_store.{mart} limit 1;"
            " update twin set valid_to_publication = 99;"
            f" insert into mart_store.{mart} select * from twin; drop table twin"
            for mart in MARTS
        ],
        *_per_mart("one_version", *MARTS),
    ),
    _violation(
        "traces of a discarded candidate",
        [
            "insert into ops.publication (publication_id, business_date, state) overriding system value"
            f" values (900, '{SECOND_NIGHT}', 'discarded')",
            *(
                f"update mart_store.{mart} set valid_to_publication = 900 where valid_from_publication = 1"
                for mart in MARTS
            ),
        ],
        *_per_mart("no_leftovers", *MARTS),
    ),
)


def _execute(*statements: str) -> None:
    with connect() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


def _judge(publication_id: int, night: date = SECOND_NIGHT) -> quality.GateReport:
    try:
        return quality.gate_publication(publication_id, night)
    except quality.GateFailed as failure:
        return failure.report


def _failing(report: quality.GateReport) -> set[str]:
    return {finding.expectation_id for finding in report.findings if finding.state is State.FAILED}


def test_good_candidates_pass_whole(first_candidate: int) -> None:
    first = quality.gate_publication(first_candidate, FIRST_NIGHT)
    publication.publish(first_candidate, "test")
    opened = publication.open_candidate(SECOND_NIGHT)
    assert opened is not None
    second = quality.gate_publication(opened.publication_id, SECOND_NIGHT)
    for report in (first, second):
        assert {finding.state for finding in report.findings} == {State.PASSED}
        assert "通过发布检查" in report.message


def test_every_expectation_has_a_violation(second_candidate: int) -> None:
    ids = [finding.expectation_id for finding in _judge(second_candidate).findings]
    assert len(ids) == len(set(ids))
    assert set(ids) == set().union(*(violation.fails for violation in VIOLATIONS))


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda violation: violation.name)
def test_violation_is_found(second_candidate: int, violation: Violation) -> None:
    _execute(*violation.statements)
    report = _judge(second_candidate)
    assert violation.fails <= _failing(report)
    for finding in report.findings:
        assert re.search("[一-鿿]", finding.message) and re.search("部门|本中心", finding.next_steps)
        if finding.state is State.FAILED and finding.expectation_id in violation.fails:
            assert finding.observed and finding.observed in finding.message
        for example in finding.examples:
            assert all(KEYS.fullmatch(name) for name in example) and json.dumps(example)
    blocking = {f.expectation_id for f in report.findings if f.severity is Severity.BLOCK}
    assert report.passed == (not violation.fails & blocking)


def test_failure_says_what_where_and_what_to_do(second_candidate: int) -> None:
    _execute(*next(v for v in VIOLATIONS if v.name == "past its display").statements)
    with pytest.raises(quality.GateFailed) as failure:
        quality.gate_publication(second_candidate, SECOND_NIGHT)
    message = str(failure.value)
    assert message.startswith("发布批次 2 未通过发布检查（1 项），线上仍为上一次发布的数据。")
    assert (
        "[publication.credit_record.display_period] 不得公示已过公示期限或有效期的记录，不得提供已过使用期限的记录，实际 1 条记录。本中心"
        in message
    )
    assert publication.current() == 1
    (finding,) = failure.value.report.blocking
    assert finding.failing_rows == 1
    assert [set(example) for example in finding.examples] == [
        {"record_key", "feed", "batch_id", "source_row", "displayed_until"}
    ]


def test_everything_is_recorded(second_candidate: int) -> None:
    _execute(*next(v for v in VIOLATIONS if v.name == "every feed is stale").statements)
    report = _judge(second_candidate)
    with connect() as connection:
        rows = connection.execute(
            "select expectation_id, state, severity, message, feed, publication_id, count(*) over () from ops.gate_result"
        ).fetchall()
    assert len(rows) == len(report.findings)
    assert {(row[0], row[1]) for row in rows} == {(f.expectation_id, f.state) for f in report.findings}
    stale = next(row for row in rows if row[0] == "publication.freshness.tax.tax_arrears")
    assert (stale[1], stale[2], stale[4], stale[5]) == ("failed", "block", "tax.tax_arrears", 2)
    assert "实际 1,001 天" in stale[3]


def test_pages_are_offline_and_name_nobody(second_candidate: int) -> None:
    for name in ("resident IDs in text", "names of persons in clear", "a minor"):
        _execute(*next(v for v in VIOLATIONS if v.name == name).statements)
    report = _judge(second_candidate)
    docs = get_settings().data_docs_dir
    page = (docs / report.docs_path).read_text(encoding="utf-8")
    assert (docs / "index.html").read_text(encoding="utf-8").count(report.docs_path) == 1
    assert "不合格" in page and str(PERSON) in page
    password = re.search(r":([^:@/]+)@", database_url())
    for path in docs.rglob("*.*"):
        if path.suffix in (".html", ".json"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"https?://|//cdn|<script", text), path
            assert "欧阳样例" not in text and PERSON_ID not in text, path
            assert password is None or password.group(1) not in text, path


def _waive(expectation_id: str, starts_on: date, expires_on: date, feed: str | None = None) -> None:
    with connect() as connection:
        quality.grant_waiver(
            connection, "publication", expectation_id, "法院系统升级", "李主任", starts_on, expires_on, feed
        )


FEED = "court.judgment_enforcement"
STALE = f"publication.freshness.{FEED}"


@pytest.fixture
def stale_candidate(second_candidate: int) -> int:
    _execute(f"update ops.batch set delivered_for = '2026-02-01' where feed = '{FEED}'")
    return second_candidate


def test_live_waiver_lets_a_failure_through(stale_candidate: int) -> None:
    _waive(STALE, date(2026, 3, 1), SECOND_NIGHT, FEED)
    report = quality.gate_publication(stale_candidate, SECOND_NIGHT)
    (waived,) = [finding for finding in report.findings if finding.state is not State.PASSED]
    assert (waived.expectation_id, waived.state) == (STALE, State.WAIVED)
    page = (get_settings().data_docs_dir / report.docs_path).read_text(encoding="utf-8")
    assert "法院系统升级（负责人 李主任，至 2026-03-03）" in page
    with connect() as connection:
        row = connection.execute(
            "select state, waiver_id from ops.gate_result where expectation_id = %s", [STALE]
        ).fetchone()
    assert row == ("waived", waived.waiver_id)


@pytest.mark.parametrize(
    ("starts_on", "expires_on", "feed"),
    [
        pytest.param(date(2026, 3, 1), FIRST_NIGHT, FEED, id="expired the day before"),
        pytest.param(date(2026, 3, 4), date(2026, 3, 9), FEED, id="not begun"),
        pytest.param(date(2026, 3, 1), date(2026, 3, 9), "tax.tax_arrears", id="of another feed"),
    ],
)
def test_waiver_that_does_not_hold_is_no_waiver(
    stale_candidate: int, starts_on: date, expires_on: date, feed: str
) -> None:
    _waive(STALE, starts_on, expires_on, feed)
    with pytest.raises(quality.GateFailed):
        quality.gate_publication(stale_candidate, SECOND_NIGHT)


def test_the_law_is_not_waived(second_candidate: int) -> None:
    _execute(*next(v for v in VIOLATIONS if v.name == "a minor").statements)
    _waive("publication.queryable_credit_record.minor", FIRST_NIGHT, SECOND_NIGHT)
    with pytest.raises(quality.GateFailed, match="本项不可豁免"):
        quality.gate_publication(second_candidate, SECOND_NIGHT)


def test_what_cannot_be_judged_blocks_and_is_not_waived(second_candidate: int) -> None:
    _execute("alter table core.credit_record rename column versions to version_count")
    _waive("publication.core.versions", FIRST_NIGHT, SECOND_NIGHT)
    report = _judge(second_candidate)
    assert [(f.expectation_id, f.state) for f in report.blocking] == [
        ("publication.core.versions", State.ERROR)
    ]
    assert "无法判定" in report.message


def test_a_stricter_parameter_row_fails_the_night_it_holds_for(second_candidate: int) -> None:
    """How the README shows a failed gate: no switch in the code, a number an officer enters."""
    # One record more tonight, of no known subject, in core and in the mart.
    added = """
        insert into {table}
        select (jsonb_populate_record(
            twin, '{{"record_key": "{key}", "subject_key": null, "versions": 0, "valid_from_publication": 2}}'
        )).*
        from {table} as twin where record_key = (select max(record_key::text)::uuid from mart.credit_record)
    """
    key = uuid.uuid4()
    _execute(
        *(
            added.format(table=table, key=key)
            for table in ("core.credit_record", "mart_store.queryable_credit_record")
        )
    )
    assert _judge(second_candidate).passed
    with connect() as connection:
        quality.set_parameter(
            connection,
            "max_row_rise_share",
            0,
            "share",
            "演示",
            SECOND_NIGHT,
            SECOND_NIGHT,
            "queryable_credit_record",
        )
    report = _judge(second_candidate)
    assert [finding.expectation_id for finding in report.blocking] == [
        "publication.queryable_credit_record.row_count"
    ]
    assert "增加应不超过 0 %（参数 max_row_rise_share，演示）" in report.message


def test_missing_parameter_is_told(second_candidate: int) -> None:
    _execute("delete from ops.gate_parameter where name = 'max_row_drop_share'")
    with pytest.raises(quality.ParameterMissing, match="max_row_drop_share"):
        quality.gate_publication(second_candidate, SECOND_NIGHT)


def _break_an_old_row() -> None:
    _execute("update mart_store.queryable_credit_record set document_no = null where effect = 'adverse'")


def test_row_truths_are_judged_on_what_changed_since_they_held(first_candidate: int) -> None:
    quality.gate_publication(first_candidate, FIRST_NIGHT)
    publication.publish(first_candidate, "test")
    opened = publication.open_candidate(SECOND_NIGHT)
    assert opened is not None
    _break_an_old_row()
    assert _judge(opened.publication_id).passed
    _execute("update ops.publication set is_full_refresh = true where publication_id = 2")
    assert "publication.credit_record.document_no" in _failing(_judge(opened.publication_id))


def test_row_truths_that_never_held_are_judged_on_every_row(first_candidate: int) -> None:
    quality.gate_publication(first_candidate, FIRST_NIGHT)
    publication.publish(first_candidate, "test")
    opened = publication.open_candidate(SECOND_NIGHT)
    assert opened is not None
    _execute("delete from ops.gate_result where expectation_id = 'publication.credit_record.document_no'")
    _break_an_old_row()
    assert "publication.credit_record.document_no" in _failing(_judge(opened.publication_id))


def test_ledger_may_go_on_while_the_candidate_is_judged(second_candidate: int) -> None:
    with connect() as connection:
        late = plant_batch(connection, load_contracts()[FEED], SECOND_NIGHT)
        connection.execute(
            "update raw.court__judgment_enforcement set is_withdrawal = true where batch_id = %s", [late]
        )
    assert quality.gate_publication(second_candidate, SECOND_NIGHT).passed
