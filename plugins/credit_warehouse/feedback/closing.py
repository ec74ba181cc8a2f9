"""What becomes of a returned row: the next delivery of its key closes it, or a person does, with a reason.

Next = the first one known by day the delivery is for, batch and row; what is closed stays closed. A row whose key is itself
at fault is closed by a person only: what its next delivery is would be a guess.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract
from credit_warehouse.database import connect
from credit_warehouse.intake.rules import DUPLICATE_RULE

# Candidates are opened under the exclusive half of this lock: closings up to theirs are all committed.
_LOCK = "select pg_advisory_xact_lock_shared(hashtext('credit_warehouse.publication'))"


class ClosingRefused(ValueError):
    """The row cannot be closed; the message says why and what to do, in Chinese."""


def close_by_batch(connection: psycopg.Connection, contract: FeedContract, batch_id: int) -> None:
    """What a batch just accepted or refused says about returned rows of its feed, its own included."""
    connection.execute(_LOCK)
    connection.execute(
        "update quarantine.rejected_row as row set outcome = 'duplicate', closing_id = nextval('quarantine.closing_id'),"
        " closed_on = batch.business_date, closed_batch_id = batch.batch_id from ops.batch as batch"
        " where batch.batch_id = %s and row.batch_id = batch.batch_id and row.outcome is null"
        " and row.violations -> 0 ->> 'rule' = %s and jsonb_array_length(row.violations) = 1",
        [batch_id, DUPLICATE_RULE],
    )
    connection.execute(
        sql.SQL(_CLOSE).format(table=sql.Identifier("raw", contract.relation)),
        {"batch": batch_id, "feed": contract.feed},
    )


# Events are those of the batch, and of batches settled before that are for a later day.
_CLOSE = """
    with settled as (
        select later.* from ops.batch as this
        join ops.batch as later on later.feed = this.feed
            and (later.delivered_for, later.batch_id) >= (this.delivered_for, this.batch_id)
        where this.batch_id = %(batch)s and later.state in ('accepted', 'refused')
    ),
    event as (
        select row.record_key, row.batch_id, row.source_row, settled.delivered_for, settled.business_date,
            'corrected' as outcome
        from {table} as row join settled using (batch_id) where settled.state = 'accepted'
        union all
        select row.record_key, row.batch_id, row.source_row, settled.delivered_for, settled.business_date, 'rerejected'
        from quarantine.rejected_row as row join settled using (batch_id)
        where row.is_key_whole and row.outcome is distinct from 'duplicate'
    ),
    next as (
        select distinct on (returned.rejection_id) returned.rejection_id, event.outcome, event.batch_id,
            greatest(event.business_date, delivery.business_date) as closed_on
        from quarantine.rejected_row as returned
        join ops.batch as delivery on delivery.batch_id = returned.batch_id
        join event on event.record_key = returned.record_key
            and (event.delivered_for, event.batch_id, event.source_row)
            > (delivery.delivered_for, delivery.batch_id, returned.source_row)
        where returned.feed = %(feed)s and returned.outcome is null and returned.is_key_whole
            and delivery.state in ('accepted', 'refused')
        order by returned.rejection_id, event.delivered_for, event.batch_id, event.source_row
    )
    update quarantine.rejected_row as row
    set outcome = next.outcome, closing_id = nextval('quarantine.closing_id'), closed_on = next.closed_on,
        closed_batch_id = next.batch_id
    from next where row.rejection_id = next.rejection_id
"""


def close_by_person(
    batch_id: int,
    source_row: int,
    outcome: Literal["ignored", "corrected"],
    on: date,
    by: str,
    reason: str,
) -> None:
    """An officer's decision, or the department's answer: the row needs no correction, or it has come under another key.

    Raises:
        ClosingRefused: no such row, it is closed already, the day lies before it, or nobody or no reason is named.
    """
    where = f"批次 {batch_id} 第 {source_row} 行"
    if not by.strip() or not reason.strip():
        raise ClosingRefused(f"{where}：请写明经办人和理由")
    with connect() as connection:
        connection.execute(_LOCK)
        found = connection.execute(
            "select row.state, row.closed_on, batch.business_date, batch.state in ('accepted', 'refused')"
            " from quarantine.rejected_row as row join ops.batch as batch using (batch_id)"
            " where batch_id = %s and source_row = %s for update of row",
            [batch_id, source_row],
        ).fetchone()
        if found is None or not found[3]:
            raise ClosingRefused(f"{where}不在退回的行中，请用 credit-warehouse quarantine --rows 核对")
        state, closed_on, returned_on, _ = found
        if closed_on is not None:
            raise ClosingRefused(f"{where}已于 {closed_on} 办结（{state}），不能再次办结")
        if on < returned_on:
            raise ClosingRefused(f"{where}于 {returned_on} 退回，办结日期 {on} 不能更早")
        connection.execute(
            "update quarantine.rejected_row set outcome = %s, closing_id = nextval('quarantine.closing_id'),"
            " closed_on = %s, closed_by = %s, closed_reason = %s where batch_id = %s and source_row = %s",
            [outcome, on, by, reason, batch_id, source_row],
        )
