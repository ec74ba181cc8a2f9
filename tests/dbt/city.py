"""Accepted deliveries straight into the warehouse, as the intake leaves them: what dbt starts from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import FieldType
from credit_warehouse.database import connect

NAMESPACE = uuid.UUID("6f1ed002-ab5f-4a6e-9c1e-000000000000")
CONTRACTS = load_contracts()


def key_of(*parts: object) -> uuid.UUID:
    """The record or subject key the tests use for these parts."""
    return uuid.uuid5(NAMESPACE, "|".join(map(str, parts)))


@dataclass(frozen=True)
class Row:
    """One delivered row. ``record`` and ``subject`` are names the keys are made from; ``values`` are contract fields,
    the others get a plain value of their type. A subject of None is one that is never linked (masked). ``name`` and
    ``aliases`` are names their keys are made from."""

    record: str
    subject: str | None
    values: dict[str, Any]
    is_withdrawal: bool = False
    subject_type: str | None = "organisation"
    id_type: str | None = "uscc"
    name: str | None = None
    aliases: tuple[str, ...] = ()
    responsible: tuple[uuid.UUID | None, ...] = ()


def deliver(
    feed: str,
    night: date,
    rows: list[Row],
    delivered_for: date | None = None,
    quarantined: int = 0,
    is_initial: bool = False,
) -> int:
    """An accepted batch with these rows, and the answer of its source. Returns the batch id."""
    contract = CONTRACTS[feed]
    with connect() as connection:
        found = connection.execute(
            "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes, state,"
            " is_initial, delivered_rows, accepted_rows, quarantined_rows, refused_rows, contract_version)"
            " values (%s, %s, %s, %s, %s, %s, 1, 'accepted', %s, %s, %s, %s, 0, %s) returning batch_id",
            [
                feed,
                night,
                delivered_for or night,
                str(uuid.uuid4()),
                uuid.uuid4().hex * 2,
                f"{feed}/{night}",
                is_initial,
                len(rows) + quarantined,
                len(rows),
                quarantined,
                contract.version,
            ],
        ).fetchone()
        assert found is not None
        for number, row in enumerate(rows, 1):
            _insert(connection, contract, found[0], number, row, night)
        connection.execute(
            sql.SQL(
                "insert into vault.subject_name (subject_key, name_key, name, first_batch_id)"
                " select distinct subject_key, name_key, '名', batch_id from raw.{} where batch_id = %s"
                " and subject_key is not null and name_key is not null on conflict do nothing"
            ).format(sql.Identifier(contract.relation)),
            [found[0]],
        )
    answer(feed, night, "succeeded")
    return int(found[0])


def answer(feed: str, night: date, state: str) -> None:
    """What the source said in the end of that night."""
    with connect() as connection:
        connection.execute(
            "insert into ops.outcome (business_date, source, feed, step, state) values (%s, %s, %s, 'settle', %s)",
            [night, CONTRACTS[feed].source, feed, state],
        )


def take_back(batch_id: int, publication_id: int) -> None:
    """A batch that was accepted is refused after all; the candidate takes that change in."""
    with connect() as connection:
        connection.execute(
            "update ops.batch set state = 'refused', refusal_code = 'test', accepted_rows = 0,"
            " refused_rows = accepted_rows + refused_rows where batch_id = %s",
            [batch_id],
        )
        connection.execute(
            "insert into ops.publication_batch values (%s, %s) on conflict do nothing",
            [publication_id, batch_id],
        )


def decide(
    decision: str,
    record: uuid.UUID,
    subject: uuid.UUID,
    undoes: int | None = None,
    subject_type: str = "person",
) -> int:
    """An officer links a record to a subject, rejects that, or undoes a decision. Returns the decision's number."""
    with connect() as connection:
        run = connection.execute(
            "insert into ops.match_run (business_date, model_version, models, records, pairs)"
            " values ('2026-03-02', 'test', '{}', 1, 1) returning match_run_id"
        ).fetchone()
        batch = connection.execute("select min(batch_id) from ops.batch").fetchone()
        assert run is not None and batch is not None
        connection.execute(
            "insert into vault.identity values (%s, %s, %s, %s, '张三', %s) on conflict do nothing",
            [
                subject,
                subject_type,
                "resident_id" if subject_type == "person" else "org_code",
                str(subject),
                batch[0],
            ],
        )
        connection.execute(
            "insert into vault.match_candidate (record_key, subject_key, score, match_weight, explanation, model_version,"
            " first_run_id, first_batch_id, first_proposed_for, last_run_id, last_batch_id, last_proposed_for)"
            " values (%s, %s, 0.9, 1, '[]', 'test', %s, %s, '2026-03-02', %s, %s, '2026-03-02') on conflict do nothing",
            [record, subject, run[0], batch[0], run[0], batch[0]],
        )
        found = connection.execute(
            "insert into ops.match_decision (decision, record_key, subject_key, undoes, decided_by, reason, document)"
            " values (%s, %s, %s, %s, '测试员', '核对原件', '核对单1号') returning decision_id",
            [decision, record, subject, undoes],
        ).fetchone()
        assert found is not None
        return int(found[0])


def _insert(
    connection: psycopg.Connection, contract: FeedContract, batch_id: int, number: int, row: Row, night: date
) -> None:
    values: dict[str, Any] = {
        "batch_id": batch_id,
        "source_row": number,
        "record_key": key_of(contract.feed, row.record),
        "subject_key": key_of(row.subject) if row.subject else None,
        "subject_type": row.subject_type,
        "id_type": ("resident_id" if row.subject_type == "person" else row.id_type) if row.subject else None,
        "name_key": key_of("name", row.name) if row.name else None,
        "alias_keys": [key_of(alias) for alias in row.aliases] or None,
        "responsible_keys": list(row.responsible) or None,
        "is_withdrawal": row.is_withdrawal,
    }
    plain = {
        FieldType.STRING: "甲",
        FieldType.DATE: night,
        FieldType.TIMESTAMP: datetime.combine(night, time()),
        FieldType.INTEGER: 1,
        FieldType.NUMBER: 1,
    }
    for field in contract.fields:
        if field.name in row.values:
            values[field.name] = row.values[field.name]
        elif field.required:
            values[field.name] = field.enum[0] if field.enum else plain[field.type]
    connection.execute(
        sql.SQL("insert into raw.{} ({}) values ({})").format(
            sql.Identifier(contract.relation),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )
