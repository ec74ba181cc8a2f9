"""A small city that keeps every rule: a batch per feed, one person, one withdrawal, one rejected row each."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import FieldType

FIRST_NIGHT = date(2026, 3, 2)
SECOND_NIGHT = date(2026, 3, 3)
ROWS = 3
PERSON = uuid.UUID("00000000-0000-5000-8000-000000000001")
PERSON_ID = "990101198507010019"
"""Valid in form, of a region that does not exist."""

_SAMPLES: dict[FieldType, Any] = {
    FieldType.STRING: "样例",
    FieldType.DATE: date(2026, 2, 2),
    FieldType.TIMESTAMP: datetime(2026, 2, 2, 9),
    FieldType.INTEGER: 2024,
    FieldType.NUMBER: 100,
}


def build_city(connection: psycopg.Connection) -> None:
    """Accepted batches of the first night, as intake would leave them."""
    for contract in load_contracts().values():
        plant_batch(connection, contract, FIRST_NIGHT)
        connection.execute(
            "insert into ops.outcome (business_date, source, feed, step, state) values (%s, %s, %s, 'settle', 'succeeded')",
            [FIRST_NIGHT, contract.source, contract.feed],
        )
    _plant_person(connection)
    _plant_refusals_and_objections(connection)
    _plant_later_batch(connection)
    _plant_entries(connection)


def plant_batch(
    connection: psycopg.Connection,
    contract: FeedContract,
    night: date,
    state: str = "accepted",
    rows: int = ROWS,
) -> int:
    """A batch of ``rows`` accepted rows and one in quarantine, with its profile. Returns its number."""
    batch_id = _batch(connection, contract, night, state, rows)
    for number in range(1, rows + 1):
        _row(connection, contract, batch_id, number)
    connection.execute(
        "insert into quarantine.rejected_row (batch_id, source_row, feed, payload, violations, is_key_whole)"
        " values (%s, %s, %s, %s, %s, true)",
        [
            batch_id,
            rows + 1,
            contract.feed,
            Jsonb({}),
            Jsonb([{"rule": "enum", "field": "", "error_code": 30003}]),
        ],
    )
    for metric in ("missing_required_columns", "missing_optional_columns", "extra_columns", "duplicate_rows"):
        connection.execute(
            "insert into ops.batch_profile (batch_id, metric, value) values (%s, %s, 0)", [batch_id, metric]
        )
    for field in contract.fields:
        if field.terms.min_fill_rate is not None:
            connection.execute(
                "insert into ops.batch_profile (batch_id, metric, field, value) values (%s, 'fill_rate', %s, 1)",
                [batch_id, field.name],
            )
    return batch_id


def _batch(connection: psycopg.Connection, contract: FeedContract, night: date, state: str, rows: int) -> int:
    row = connection.execute(
        "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes,"
        " declared_rows, state, is_initial, delivered_rows, accepted_rows, quarantined_rows, refused_rows,"
        " contract_version) values (%(feed)s, %(night)s, %(night)s, %(id)s, %(sha)s, 'x', 1, %(all)s, %(state)s,"
        " not exists (select from ops.batch where feed = %(feed)s), %(all)s, %(rows)s, 1, 0, %(version)s)"
        " returning batch_id",
        {
            "feed": contract.feed,
            "night": night,
            "id": uuid.uuid4().hex,
            "sha": uuid.uuid4().hex * 2,
            "state": state,
            "rows": rows,
            "all": rows + 1,
            "version": contract.version,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def _row(
    connection: psycopg.Connection, contract: FeedContract, batch_id: int, number: int, **overrides: Any
) -> None:
    organisation = f"91990101MA{number:07d}X"
    values: dict[str, Any] = {
        "batch_id": batch_id,
        "source_row": number,
        "record_key": uuid.uuid5(uuid.NAMESPACE_URL, f"{contract.feed}/{number}"),
        "subject_key": uuid.uuid5(uuid.NAMESPACE_URL, organisation),
        "subject_type": "organisation",
        "is_withdrawal": False,
    }
    values |= _living(contract)
    if contract.terms.subject.uscc:
        values[contract.terms.subject.uscc] = organisation
    values |= overrides
    connection.execute(
        sql.SQL("insert into raw.{} ({}) values ({})").format(
            sql.Identifier(contract.relation),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )


def _living(contract: FeedContract) -> dict[str, Any]:
    """Values of a record in force: what is required and what the marts show, but no end."""
    record = contract.terms.record
    shown = {contract.decided_field}
    if record is not None:
        shown |= {record.document_no, record.authority_name, record.title}
    values = {
        field.name: field.enum[0] if field.enum else _SAMPLES[field.type]
        for field in contract.fields
        if field.required or field.name in shown
    }
    if record is not None and record.valid_until in values:
        values[record.valid_until] = date(2030, 1, 1)
    return values


def _plant_person(connection: psycopg.Connection) -> None:
    """A person's record, and one taken back by a later version of itself."""
    contract = load_contracts()["court.dishonest_judgment_debtor"]
    found = connection.execute("select batch_id from ops.batch where feed = %s", [contract.feed]).fetchone()
    assert found is not None
    batch_id = found[0]
    person = {
        "subject_key": PERSON,
        "subject_type": "person",
        "party_type": "自然人",
        "party_name": "欧阳样例",
        "resident_id": PERSON_ID,
        "uscc": None,
    }
    _row(connection, contract, batch_id, 101, **person)
    taken_back = uuid.uuid5(uuid.NAMESPACE_URL, "taken back")
    _row(connection, contract, batch_id, 102, record_key=taken_back)
    later = {"status": "撤销", "updated_at": datetime(2026, 2, 3, 9)}
    _row(connection, contract, batch_id, 103, record_key=taken_back, is_withdrawal=True, **later)
    connection.execute(
        "update ops.batch set accepted_rows = accepted_rows + 3, delivered_rows = delivered_rows + 3 where batch_id = %s",
        [batch_id],
    )
    connection.execute(
        "insert into vault.identity values (%s, 'person', 'resident_id', %s, '欧阳样例', %s)",
        [PERSON, PERSON_ID, batch_id],
    )


def _plant_refusals_and_objections(connection: psycopg.Connection) -> None:
    """What the marts of refusals and of objections are made from: three of each."""
    connection.execute(
        "insert into ops.rule_count (batch_id, rule, field, rows)"
        " select min(batch_id), rule, '', 1 from ops.batch, unnest(array['minor', 'forbidden', 'no_document']) as rule"
        " where feed = 'court.dishonest_judgment_debtor' group by rule"
    )
    connection.execute(
        "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, objection_no)"
        " select gen_random_uuid(), 'objection_filed', %s, '受理', '姓名有误', '异议' || number"
        " from generate_series(1, 3) as number",
        [FIRST_NIGHT],
    )


def _plant_later_batch(connection: psycopg.Connection) -> None:
    """What is timed: a feed's first batch is its backlog, and timed by nobody's clock."""
    contract = load_contracts()["market_regulation.honour"]
    batch_id = _batch(connection, contract, FIRST_NIGHT, "accepted", ROWS)
    for number in range(ROWS):
        decided = {contract.decided_field: date(2026, 2, 2 + 7 * number)}
        _row(connection, contract, batch_id, 201 + number, **decided)
    connection.execute(
        "update ops.batch set delivered_rows = accepted_rows, quarantined_rows = 0 where batch_id = %s",
        [batch_id],
    )


def _plant_entries(connection: psycopg.Connection) -> None:
    """What officers enter: three of each."""
    feeds = ["tax.tax_arrears", "tax.municipal_arrears", "tax.credit_grade"]
    for number, feed in enumerate(feeds, 1):
        connection.execute(
            "insert into ops.spot_check (sampler, source, sampled_on, department_code, feed, document_no, found,"
            " fields_checked, fields_wrong, document) values ('省', '抽查', %s, 'tax', %s, %s, true, 3, 0, '通报')",
            [FIRST_NIGHT, feed, f"文号{number}"],
        )
        connection.execute(
            "insert into ops.declared_production (department_code, feed, month, produced, source, document)"
            " values ('tax', %s, '2026-02-01', 3, '月报', '月报表')",
            [feed],
        )
        connection.execute(
            "insert into ops.appraisal_entry (year, department_code, indicator_code, points, reason, document)"
            " values (2026, 'tax', %s, 1, '通报', '文件')",
            [("organisation", "channel", "severity_marking")[number - 1]],
        )
        connection.execute(
            "insert into ops.plan_evidence (task_code, kind, dated_on, note, document)"
            " select task_code, 'progress', '2019-03-01', '已开展', '报告' from ops.plan_task"
            " inner join ops.plan using (plan_code) inner join ops.office using (city) order by task_code limit 1"
        )
        connection.execute(
            "insert into ops.record_event (record_key, kind, effective_on, document_no, reason)"
            " values (gen_random_uuid(), 'repair', %s, %s, '已纠正')",
            [FIRST_NIGHT, f"修复{number}"],
        )


def plant_package(connection: psycopg.Connection, publication_id: int) -> None:
    """What the mart of the exchange is made from: one package, answered, with a row of three feeds."""
    connection.execute(
        "insert into ops.exchange_package (platform, number, name, is_removals_only, business_date, publication_id, rows,"
        " bytes, sha256, state, receipt) values ('province', 1, '441300-000001', false, %s, %s, 3, 1, repeat('a', 64),"
        " 'acknowledged', '{}')",
        [FIRST_NIGHT, publication_id],
    )
    connection.execute(
        "insert into ops.exchange_item (package_id, record_key, feed, batch_id, source_row, operation, digest, outcome)"
        " select 1, gen_random_uuid(), feed, batch_id, 1, 'insert', repeat('a', 64), 'accepted' from ops.batch"
        " where feed like 'market_regulation.administrative_%%' order by feed limit 3"
    )
