"""Raw tables, views of accepted rows and the feed register, all from the contracts."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from credit_warehouse.contracts.model import FeedContract

ENVELOPE = (
    ("batch_id", "bigint not null"),
    ("source_row", "bigint not null"),
    ("record_key", "uuid not null"),
    ("subject_key", "uuid"),
    ("subject_type", "text"),
    ("id_type", "text"),
    ("name_key", "uuid"),
    ("alias_keys", "uuid[]"),
    ("responsible_keys", "uuid[]"),
    ("is_withdrawal", "boolean not null"),
    ("target_record_key", "uuid"),
)
"""Columns every raw row carries, before the contract's own: back to the file, and to the subject."""


def apply(connection: psycopg.Connection, contracts: Iterable[FeedContract]) -> None:
    """Make or widen the raw tables and register the feeds. Idempotent; never drops a column with data in it.

    Raises:
        psycopg.Error: a contract changes the type of a column that exists (that needs a migration).
    """
    contracts = list(contracts)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.contracts'))")
        for contract in contracts:
            _register(connection, contract)
            _raw_table(connection, contract)
        connection.execute(
            "update ops.feed set is_active = (feed = any(%s))", [[contract.feed for contract in contracts]]
        )


def _raw_table(connection: psycopg.Connection, contract: FeedContract) -> None:
    table = sql.Identifier("raw", contract.relation)
    columns = [*ENVELOPE, *((field.name, field.postgres_type) for field in contract.fields)]
    existing = _raw_columns(connection, contract)
    if not existing:
        connection.execute(
            sql.SQL("create table {} ({}, primary key (batch_id, source_row))").format(
                table, sql.SQL(", ").join(_definition(name, type_) for name, type_ in columns)
            )
        )
        connection.execute(sql.SQL("create index on {} (record_key)").format(table))
        connection.execute(sql.SQL("create index on {} (subject_key)").format(table))
        # A night reads its own batches. Of a table that holds little but its first delivery, the planner would take each of
        # them for as large as that one, and read the whole city.
        connection.execute(
            sql.SQL("alter table {} alter column batch_id set (n_distinct = -0.01)").format(table)
        )
    for name, type_ in columns:
        if existing and name not in existing:
            connection.execute(
                sql.SQL("alter table {} add column {}").format(table, _definition(name, type_))
            )
    _identity_indexes(connection, contract)
    _accepted_view(connection, contract)


def _identity_indexes(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Who claims an alias, and in a register who bears a name, is asked every night."""
    wanted = [("alias_keys", "gin")] + ([("name_key", "btree")] if contract.is_register else [])
    for column, method in wanted:
        connection.execute(
            sql.SQL("create index if not exists {} on {} using {} ({})").format(
                sql.Identifier(f"{contract.relation}__{column}"),
                sql.Identifier("raw", contract.relation),
                sql.SQL(method),
                sql.Identifier(column),
            )
        )


def _accepted_view(connection: psycopg.Connection, contract: FeedContract) -> None:
    """Rows of accepted batches that a publication, or the open candidate, holds: what everything after gate 1 reads.

    A batch accepted while a candidate is being built waits for the next one, so that a build reads one set of batches
    throughout. Contract fields stand last and in the table's own order, so that a widened view replaces the old one under its
    readers.
    """
    envelope = [name for name, _ in ENVELOPE]
    fields = [name for name in _raw_columns(connection, contract) if name not in envelope]
    connection.execute(
        sql.SQL(
            "create or replace view accepted.{name} as select {envelope}, batch.business_date, batch.delivered_for,"
            " {fields} from raw.{name} as row join ops.batch as batch using (batch_id) where batch.state = 'accepted'"
            " and exists (select from ops.publication_batch as held join ops.publication using (publication_id)"
            " where held.batch_id = row.batch_id and publication.state in ('published', 'candidate'))"
        ).format(
            name=sql.Identifier(contract.relation),
            envelope=sql.SQL(", ").join(sql.Identifier("row", name) for name in envelope),
            fields=sql.SQL(", ").join(sql.Identifier("row", name) for name in fields),
        )
    )


def _raw_columns(connection: psycopg.Connection, contract: FeedContract) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = 'raw' and table_name = %s order by ordinal_position",
        [contract.relation],
    )
    return [row[0] for row in rows]


def _definition(name: str, type_: str) -> sql.Composable:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))


def _register(connection: psycopg.Connection, contract: FeedContract) -> None:
    terms = contract.terms
    record = terms.record
    values = {
        "feed": contract.feed,
        "source": contract.source,
        "feed_label": contract.label,
        "contract_version": contract.version,
        "department_code": terms.department.code,
        "department_name": terms.department.name,
        "catalogue_item_code": terms.catalogue_item,
        "brings": "records" if record else "changes" if terms.change else "register",
        "records_of": record and (terms.record_as or contract.feed),
        "record_category": record and record.category,
        "effect": record and record.effect,
        "list_name": record and record.list_name,
        "max_age_days": terms.max_age_days,
        "is_subject_register": bool(record and record.is_subject_register),
        "authority_header": contract.authority_header,
        "is_active": True,
    }
    columns = [sql.Identifier(name) for name in values]
    connection.execute(
        sql.SQL("insert into ops.feed ({}) values ({}) on conflict (feed) do update set {}").format(
            sql.SQL(", ").join(columns),
            sql.SQL(", ").join(sql.Placeholder(name) for name in values),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns[1:]),
        ),
        values,
    )
