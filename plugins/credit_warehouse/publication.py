"""Publication is a pointer: candidate → gates → flip; rollback is the same flip back (ARCHITECTURE decision 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from credit_warehouse.database import connect


class PublicationError(Exception):
    """The pointer cannot move as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Publication:
    """One row of ``ops.publication``: ``business_date`` is the day it speaks of, ``batches`` how many it took in first."""

    publication_id: int
    business_date: date
    state: str
    is_full_refresh: bool
    batches: int
    message: str | None = None
    """Why it was discarded."""


def open_candidate(
    business_date: date, run_id: str | None = None, full_refresh: bool = False
) -> Publication | None:
    """Open the next candidate, or none when nothing would change.

    It takes in every accepted batch no publication holds yet, every change of a record, every
    reviewer's decision, every closing of a returned row and all evidence of the plans entered so far. Its business date
    never goes back: a night made up later
    adds to the city as it is known today. A candidate left open by a dead run is discarded first.
    """
    with connect() as connection:
        _one_at_a_time(connection)
        for (left_over,) in connection.execute(
            "select publication_id from ops.publication where state = 'candidate'"
        ):
            _discard(
                connection, left_over, f"前一次运行中断，或同一晚有另一个调度：由后来的运行 {run_id} 接手"
            )
        last = connection.execute(
            "select business_date, events_through, decisions_through, closings_through, evidence_through"
            " from ops.publication where state = 'published' order by publication_id desc limit 1"
        ).fetchone()
        as_of = max(business_date, last[0]) if last else business_date
        batches = [row[0] for row in connection.execute(_UNPUBLISHED).fetchall()]
        newest = _newest(connection)
        full_refresh = full_refresh or _rebuild_is_due(connection)
        if last and not batches and last == (as_of, *newest) and not full_refresh:
            return None
        row = connection.execute(
            "insert into ops.publication (business_date, state, is_full_refresh, run_id, events_through,"
            " decisions_through, closings_through, evidence_through)"
            " values (%s, 'candidate', %s, %s, %s, %s, %s, %s) returning publication_id",
            [as_of, full_refresh, run_id, *newest],
        ).fetchone()
        assert row is not None
        connection.execute(
            "insert into ops.publication_batch (publication_id, batch_id) select %s, unnest(%s::bigint[])",
            [row[0], batches],
        )
        return Publication(row[0], as_of, "candidate", full_refresh, len(batches))


_UNPUBLISHED = """
    select batch_id from ops.batch
    where state = 'accepted' and not exists (
        select from ops.publication_batch join ops.publication using (publication_id)
        where publication_batch.batch_id = batch.batch_id and publication.state = 'published'
    )
    order by batch_id
"""


def _newest(connection: psycopg.Connection) -> tuple[int, int, int, int]:
    """Numbers of the newest change, decision about a match, closing of a returned row and evidence; all up to them are
    committed, because they are entered under locks that are waited for here."""
    connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.match_decision'))")
    row = connection.execute(
        "select (select coalesce(max(event_id), 0) from ops.record_event),"
        " (select coalesce(max(decision_id), 0) from ops.match_decision),"
        " (select coalesce(max(closing_id), 0) from quarantine.rejected_row),"
        " (select coalesce(max(evidence_id), 0) from ops.plan_evidence)"
    ).fetchone()
    assert row is not None
    events, decisions, closings, evidence = map(int, row)
    return events, decisions, closings, evidence


def _rebuild_is_due(connection: psycopg.Connection) -> bool:
    """Whether what core means has changed since the last publication that was built from everything."""
    row = connection.execute(
        "select exists (select from ops.rebuild_request where publication_id is null)"
    ).fetchone()
    return row == (True,)


def describe(publication_id: int) -> Publication:
    """The publication with this number.

    Raises:
        PublicationError: there is none.
    """
    with connect() as connection, connection.cursor(row_factory=class_row(Publication)) as cursor:
        found = cursor.execute(
            "select publication_id, business_date, state, is_full_refresh, message, (select count(*) from ops.publication_batch"
            " as included where included.publication_id = publication.publication_id) as batches"
            " from ops.publication where publication_id = %s",
            [publication_id],
        ).fetchone()
    if found is None:
        raise PublicationError(f"发布批次 {publication_id} 不存在")
    return found


def candidate_of(publication_id: int) -> Publication:
    """The open candidate with this number.

    Raises:
        PublicationError: it is not open (published, discarded, or never was).
    """
    found = describe(publication_id)
    if found.state != "candidate":
        raise PublicationError(_not_open(found))
    return found


def _not_open(found: Publication) -> str:
    if found.state == "discarded":
        return (
            f"候选批次 {found.publication_id} 已作废（{found.message}）。本次运行到此为止，线上版本不受影响；"
            "若之后没有更新的发布，重跑当晚即可"
        )
    return f"发布批次 {found.publication_id} 不是待发布的候选批次，可能已由另一次运行发布，无需重复处理"


def publish(publication_id: int, by: str) -> None:
    """Flip the pointer to the candidate: from here on every reader's next query sees it. Done twice, it is done once.

    Raises:
        PublicationError: it is not an open candidate.
    """
    with connect() as connection:
        _one_at_a_time(connection)
        row = connection.execute(
            "select state from ops.publication where publication_id = %s for update", [publication_id]
        ).fetchone()
        if row and row[0] == "published" and _current(connection) == publication_id:
            return
        if not row or row[0] != "candidate":
            raise PublicationError(_not_open(describe(publication_id)))
        connection.execute(
            "update ops.publication set state = 'published', closed_at = clock_timestamp() where publication_id = %s",
            [publication_id],
        )
        connection.execute(
            "update ops.rebuild_request set publication_id = publication.publication_id from ops.publication"
            " where publication.publication_id = %s and is_full_refresh and rebuild_request.publication_id is null"
            " and requested_at < opened_at",
            [publication_id],
        )
        _flip(connection, "publish", publication_id, "夜间发布", by)


def rollback(to: int | None, reason: str, by: str) -> tuple[int, int]:
    """Point back at an earlier publication (default: the one before the current). Returns (from, to).

    Raises:
        PublicationError: nothing is published, or ``to`` was never published or is archived.
    """
    with connect() as connection:
        _one_at_a_time(connection)
        current = _current(connection)
        if current is None:
            raise PublicationError("尚无已发布的批次")
        target = connection.execute(
            "select max(publication_id) from ops.publication where state = 'published'"
            " and publication_id not in (select publication_id from ops.pruned_publication)"
            " and case when %(to)s::bigint is null then publication_id < %(current)s else publication_id = %(to)s end",
            {"to": to, "current": current},
        ).fetchone()
        if target is None or target[0] is None:
            raise PublicationError(
                f"发布批次 {to} 不存在、未发布过或已归档"
                if to is not None
                else f"批次 {current} 之前没有已发布的批次"
            )
        _flip(connection, "rollback", target[0], reason, by)
        return current, target[0]


def discard(publication_id: int, reason: str) -> None:
    """Undo what a candidate wrote, in time proportional to that. Already discarded: nothing. Published: refused.

    Raises:
        PublicationError: it was published.
    """
    with connect() as connection:
        _one_at_a_time(connection)
        _discard(connection, publication_id, reason)


def current() -> int | None:
    """Number of the publication readers see; none before the first night."""
    with connect() as connection:
        return _current(connection)


def _discard(connection: psycopg.Connection, publication_id: int, reason: str) -> None:
    row = connection.execute(
        "select state from ops.publication where publication_id = %s for update", [publication_id]
    ).fetchone()
    if row is None or row[0] == "published":
        raise PublicationError(f"发布批次 {publication_id} 已发布或不存在，不能作废；如需撤回请使用回退")
    if row[0] == "discarded":
        return
    tables = connection.execute(
        "select relname from pg_class where relnamespace = 'mart_store'::regnamespace and relkind = 'r'"
    )
    for (table,) in tables.fetchall():
        name = sql.Identifier("mart_store", table)
        connection.execute(
            sql.SQL("delete from {} where valid_from_publication = %s").format(name), [publication_id]
        )
        connection.execute(
            sql.SQL("update {} set valid_to_publication = null where valid_to_publication = %s").format(name),
            [publication_id],
        )
    connection.execute(
        "update ops.publication set state = 'discarded', closed_at = clock_timestamp(), message = %s"
        " where publication_id = %s",
        [reason, publication_id],
    )


def _flip(connection: psycopg.Connection, action: str, to: int, reason: str, by: str) -> None:
    # One statement: what the move waits for is the way to the server and back.
    connection.execute(
        "with moved as ("
        " insert into ops.publication_flip (action, from_publication_id, to_publication_id, reason, flipped_by)"
        " select %(action)s, (select publication_id from ops.current_publication), %(to)s, %(reason)s, %(by)s)"
        " insert into ops.current_publication (publication_id) values (%(to)s) on conflict (singleton)"
        " do update set publication_id = excluded.publication_id, flipped_at = clock_timestamp()",
        {"action": action, "to": to, "reason": reason, "by": by},
    )


def _current(connection: psycopg.Connection) -> int | None:
    row = connection.execute("select publication_id from ops.current_publication").fetchone()
    return row[0] if row else None


def _one_at_a_time(connection: psycopg.Connection) -> None:
    connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.publication'))")
