"""What must hold after a resumed night, whatever struck it; each violation is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from credit_warehouse.contracts import load_contracts
from credit_warehouse.intake.archive import sha256_of
from simulator import answer_key

NO_BATCH_TWICE: LiteralString = """
    select feed || ' ' || delivery_id from ops.batch where state = 'accepted'
    group by feed, delivered_for, delivery_id having count(*) > 1
"""
UNBALANCED: LiteralString = """
    select batch_id::text from ops.batch
    where delivered_rows is distinct from accepted_rows + quarantined_rows + refused_rows
"""
HALF_DONE: LiteralString = """
    select 'batch ' || batch_id || ' ' || state from ops.batch where state in ('landed', 'loaded')
    union all select 'publication ' || publication_id from ops.publication where state = 'candidate'
    union all select 'package ' || package_no || ' ' || state from ops.feedback_package where state <> 'acknowledged'
"""
IN_NO_PUBLICATION: LiteralString = """
    select batch_id::text from ops.batch where state = 'accepted' and 1 <> (
        select count(*) from ops.publication_batch join ops.publication using (publication_id)
        where publication_batch.batch_id = batch.batch_id and publication.state = 'published')
"""
OF_NO_PUBLICATION: LiteralString = """
    select count(*)::text from mart_store.{0} where valid_from_publication not in (
        select publication_id from ops.publication where state = 'published')
    or valid_to_publication not in (select publication_id from ops.publication where state = 'published')
    having count(*) > 0
"""


@dataclass(frozen=True)
class Truth:
    """What a night leaves, row for row: by mart, and by list of facts."""

    rows: dict[str, Counter[str]]


def truth(url: str) -> Truth:
    """What the warehouse says now, without numbers and times of batches and publications."""
    with psycopg.connect(url) as connection:
        marts = {name: _rows(connection, _mart(name)) for name in stores(connection)}
        return Truth(marts | {name: _rows(connection, sql.SQL(query)) for name, query in FACTS.items()})


def stores(connection: psycopg.Connection) -> list[str]:
    """Names of the marts that keep versions."""
    return [
        row[0]
        for row in connection.execute(
            "select relname from pg_class where relnamespace = 'mart_store'::regnamespace and relkind = 'r' order by 1"
        )
    ]


def violations(
    url: str,
    home: Path,
    expected: Truth,
    key: answer_key.NightKey,
    night: date,
    feeds: set[str],
    publishes: bool,
    refused: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Everything that does not hold. ``refused``: sources that sent a bad delivery before the right one; the refused batch
    stays in the ledger, is returned and counted against its department, as it must be."""
    found = truth(url)
    for name, told in expected.rows.items():
        missing, surplus = told - found.rows[name], found.rows[name] - told
        if name in COUNT_REFUSALS:
            missing, surplus = (_without(rows, refused) for rows in (missing, surplus))
        if missing or surplus:
            yield f"{name}: {missing.total()} rows lost, as {_one(missing)}; {surplus.total()} too many, as {_one(surplus)}"
    with psycopg.connect(url) as connection:
        for what, query in (
            ("accepted twice", NO_BATCH_TWICE),
            ("ledger does not add up", UNBALANCED),
            ("half done", HALF_DONE),
            *([("not in exactly one publication", IN_NO_PUBLICATION)] if publishes else []),
        ):
            for (told,) in connection.execute(query):
                yield f"{what}: {told}"
        for mart in stores(connection):
            for (rows,) in connection.execute(sql.SQL(OF_NO_PUBLICATION).format(sql.Identifier(mart))):
                yield f"mart_store.{mart}: {rows} rows of a candidate that was never published"
        yield from _rows_of_batches(connection)
        yield from _files(connection, home)
        yield from _answer_key(connection, key, night, feeds)


COUNT_REFUSALS = ("batches", "returned rows", "department_coverage_daily", "reporting_period")

FACTS: dict[str, LiteralString] = {
    "core.credit_record": "select to_jsonb(r) - 'batch_id' - 'first_batch_id' from core.credit_record as r",
    "ops.record_event": "select jsonb_build_array(record_key, kind, effective_on, document_no, feed, source_row)"
    " from ops.record_event",
    "ops.suppression": "select jsonb_build_array(record_key, origin, kind) from ops.suppression",
    "vault.identity": "select to_jsonb(i) - 'first_batch_id' from vault.identity as i",
    "returned rows": "select jsonb_build_array(b.feed, b.delivery_id, source_row, position, error_code, rule, field)"
    " from ops.feedback_item join ops.batch as b using (batch_id)",
    "batches": "select jsonb_build_array(feed, delivered_for, delivery_id, sha256, state, delivered_rows, accepted_rows,"
    " quarantined_rows, refused_rows) from ops.batch where state <> 'duplicate'",
}


def _mart(name: str) -> sql.Composed:
    """Rows of the publication readers see, provenance by the sender's names instead of our numbers."""
    return sql.SQL(
        "select to_jsonb(m) - '{{valid_from_publication,valid_to_publication,rejection_id,repair_id,batch_id}}'::text[]"
        " || jsonb_build_object('delivery', (select jsonb_build_array(b.feed, b.delivery_id, b.sha256) from ops.batch as b"
        " where b.batch_id = (to_jsonb(m) ->> 'batch_id')::bigint))"
        " from mart_store.{} as m, ops.current_publication as now where valid_from_publication <= now.publication_id"
        " and coalesce(valid_to_publication > now.publication_id, true)"
    ).format(sql.Identifier(name))


def _rows(connection: psycopg.Connection, query: sql.Composable) -> Counter[str]:
    found = connection.execute(sql.SQL("select fact::text from ({}) as found(fact)").format(query))
    return Counter(row[0] for row in found)


def _without(rows: Counter[str], sources: frozenset[str]) -> Counter[str]:
    return Counter({row: n for row, n in rows.items() if not any(f'"{source}.' in row for source in sources)})


def _one(rows: Counter[str]) -> str:
    return next(iter(sorted(rows)), "none")


def _rows_of_batches(connection: psycopg.Connection) -> Iterator[str]:
    """Rows by (batch, source_row): each once, in raw or in quarantine, as many as the ledger says."""
    relations = [contract.relation for contract in load_contracts().values()]
    raw = sql.SQL(" union all ").join(
        sql.SQL("select batch_id, source_row, 'raw' as place from raw.{}").format(sql.Identifier(name))
        for name in relations
    )
    query = sql.SQL(
        "with held as ({} union all select batch_id, source_row, 'quarantine' from quarantine.rejected_row),"
        " counted as (select batch_id, count(*) filter (where place = 'raw') as accepted,"
        " count(*) filter (where place = 'quarantine') as rejected, count(distinct source_row) as rows, count(*) as held"
        " from held group by batch_id)"
        " select batch_id, state, accepted_rows, accepted, quarantined_rows, rejected, rows, held"
        " from ops.batch full join counted using (batch_id) where state is null or rows <> held"
        " or state = 'accepted' and (accepted_rows, quarantined_rows)"
        " <> (coalesce(accepted, 0), coalesce(rejected, 0))"
        " or state = 'duplicate' and held > 0"
    ).format(raw)
    for row in connection.execute(query):
        yield f"rows lost or doubled: {row}"


def _files(connection: psycopg.Connection, home: Path) -> Iterator[str]:
    for path, digest in connection.execute("select landed_path, sha256 from ops.batch"):
        if sha256_of(home / "landing" / path) != digest:
            yield f"landing/{path} is not the file the ledger names"


def _answer_key(
    connection: psycopg.Connection, key: answer_key.NightKey, night: date, feeds: set[str]
) -> Iterator[str]:
    """An accepted batch holds what the departments' answer key promises, to the row."""
    for feed, *counts in connection.execute(
        "select feed, delivered_rows, accepted_rows, quarantined_rows from ops.batch where delivered_for = %s"
        " and state = 'accepted'",
        [night],
    ):
        promised = key.feeds[feed]
        if feed in feeds and counts != [promised.delivered, promised.accepted, promised.quarantined]:
            yield f"{feed}: {counts} is not what its answer key says ({promised})"
