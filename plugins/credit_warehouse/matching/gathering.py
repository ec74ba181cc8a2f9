"""From raw rows to what is compared: names known subjects go by, and records that name nobody.

Which columns hold what comes from the contract: the ``subject`` terms for name and number, a check for the organisation
code, and the project's own field names (``sex``, ``age``, ``birth_date``, ``legal_representative``, ``party_type``).
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract
from credit_warehouse.contracts.model import IdentityCheck

PERSON_PARTY = "自然人"


def gather(connection: psycopg.Connection, contracts: Iterable[FeedContract], model_version: str) -> int:
    """Bring ``vault.known_as`` and ``vault.unlinked_record`` up to the accepted batches; returns how many were new or
    taken back.

    Leaves temporary table ``affected`` (record_key): unlinked records that are new or changed, or that share a block
    with a name or number the city learnt.
    """
    connection.execute("create temp table affected (record_key uuid primary key) on commit drop")
    connection.execute("create temp table learnt on commit drop as select * from vault.known_as with no data")
    batches = 0
    for contract in contracts:
        changed = _changed_batches(connection, contract.feed, model_version)
        if changed:
            batches += len(changed)
            _learn_names(connection, contract, changed)
            _refresh_unlinked(connection, contract, changed)
    connection.execute(_TOUCHED_BY_LEARNT)
    return batches


def _changed_batches(connection: psycopg.Connection, feed: str, model_version: str) -> list[int]:
    """Batches accepted since, and batches taken back since; from here on they count as taken account of."""
    parameters = {"feed": feed, "model_version": model_version}
    rows = connection.execute(
        "insert into ops.match_batch (model_version, batch_id) select %(model_version)s, batch_id from ops.batch"
        " where feed = %(feed)s and state = 'accepted' on conflict do nothing returning batch_id",
        parameters,
    ).fetchall()
    rows += connection.execute(
        "delete from ops.match_batch using ops.batch where match_batch.batch_id = batch.batch_id"
        " and match_batch.model_version = %(model_version)s and batch.feed = %(feed)s and batch.state <> 'accepted'"
        " returning match_batch.batch_id",
        parameters,
    ).fetchall()
    return [row[0] for row in rows]


def _learn_names(connection: psycopg.Connection, contract: FeedContract, batches: list[int]) -> None:
    connection.execute(
        sql.SQL(
            """
            with added as (
                insert into vault.known_as (subject_key, subject_type, name, representative, first_batch_id)
                select row.subject_key, row.subject_type, row.{name},
                    case when row.subject_type = 'organisation' then coalesce({representative}, '') else '' end,
                    min(row.batch_id)
                from raw.{relation} as row
                join ops.batch as batch using (batch_id)
                where row.batch_id = any(%(batches)s) and batch.state = 'accepted' and row.subject_key is not null
                group by 1, 2, 3, 4
                on conflict do nothing
                returning *
            )
            insert into learnt select * from added
            """
        ).format(
            name=sql.Identifier(contract.terms.subject.name),
            representative=_column(contract, "legal_representative", "text"),
            relation=sql.Identifier(contract.relation),
        ),
        {"batches": batches},
    )


def _refresh_unlinked(connection: psycopg.Connection, contract: FeedContract, batches: list[int]) -> None:
    """A record is unlinked while its newest accepted version names nobody and does not withdraw it."""
    subject = contract.terms.subject
    org_codes = [f.name for f in contract.fields if f.terms.check is IdentityCheck.ORG_CODE]
    connection.execute(
        sql.SQL(
            """
            create temp table newest on commit drop as
            with touched as (
                select distinct record_key from raw.{relation}
                where batch_id = any(%(batches)s)
                    and record_key in (select record_key from raw.{relation} where subject_key is null)
            )
            select distinct on (touched.record_key)
                touched.record_key, row.batch_id, row.source_row,
                coalesce(row.subject_key is null and not row.is_withdrawal, false) as is_unlinked,
                {kind} as subject_type, row.{name} as name, {number} as number, {sex} as sex, {age}::int as age,
                {birth_date} as birth_date, {representative} as representative, {org_code} as org_code,
                row.{decided_on} as decided_on
            from touched
            left join (
                raw.{relation} as row join ops.batch as batch on row.batch_id = batch.batch_id and batch.state = 'accepted'
            ) on touched.record_key = row.record_key
            order by touched.record_key, row.{updated_at} desc nulls last, batch.delivered_for desc, row.batch_id desc,
                row.source_row desc
            """
        ).format(
            relation=sql.Identifier(contract.relation),
            kind=_kind(contract),
            name=sql.Identifier(subject.name),
            number=_column(contract, subject.resident_id, "text"),
            sex=_column(contract, "sex", "text"),
            age=_column(contract, "age", "int"),
            birth_date=_column(contract, "birth_date", "date"),
            representative=_column(contract, "legal_representative", "text"),
            org_code=_column(contract, org_codes[0] if org_codes else None, "text"),
            decided_on=sql.Identifier(contract.decided_field),
            updated_at=sql.Identifier(contract.terms.updated_field),
        ),
        {"batches": batches},
    )
    connection.execute(
        "delete from vault.unlinked_record using newest where unlinked_record.record_key = newest.record_key"
    )
    connection.execute(
        "insert into vault.unlinked_record (record_key, feed, batch_id, source_row, subject_type, name, number, sex, age,"
        " birth_date, representative, org_code, decided_on) select record_key, %s, batch_id, source_row, subject_type, name,"
        " number, sex, age, birth_date, representative, replace(org_code, '-', ''), decided_on from newest"
        " where is_unlinked",
        [contract.feed],
    )
    connection.execute("insert into affected select record_key from newest where is_unlinked")
    connection.execute("drop table newest")


def _column(contract: FeedContract, name: str | None, type_: str) -> sql.Composable:
    """The raw column, or null of its type where the contract has none."""
    if name in {field.name for field in contract.fields}:
        return sql.Identifier("row", str(name))
    return sql.SQL("null::") + sql.SQL(type_)


def _kind(contract: FeedContract) -> sql.Composable:
    """Person or organisation, for a row whose identifier does not say it."""
    subject = contract.terms.subject
    if subject.resident_id is None:
        return sql.SQL("'organisation'")
    if subject.uscc is None:
        return sql.SQL("'person'")
    if "party_type" in {field.name for field in contract.fields}:
        return sql.SQL("case when row.party_type = {} then 'person' else 'organisation' end").format(
            sql.Literal(PERSON_PARTY)
        )
    return sql.SQL("case when row.{} is null then 'organisation' else 'person' end").format(
        sql.Identifier(subject.resident_id)
    )


_TOUCHED_BY_LEARNT = """
    insert into affected
    select record.record_key from vault.unlinked_record as record
    join learnt on record.subject_type = 'person' and learnt.subject_type = 'person'
        and record.plain_name = learnt.plain_name
    union
    select record.record_key from vault.unlinked_record as record
    join learnt on record.subject_type = 'organisation' and record.name_core = learnt.name_core
    union
    select record.record_key from vault.unlinked_record as record
    join learnt on record.subject_type = 'organisation' and record.representative = learnt.representative
    union
    select record.record_key from vault.unlinked_record as record
    join vault.identity on record.visible_digits = vault.visible_digits(identity.id_value)
    join learnt using (subject_key)
    where identity.subject_type = 'person'
    union
    select record.record_key from vault.unlinked_record as record
    join vault.identity on identity.id_type = 'uscc' and record.org_code = substr(identity.id_value, 9, 9)
    join learnt using (subject_key)
    on conflict do nothing
"""
