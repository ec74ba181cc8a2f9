"""What became of the nights, for people: publications, moves of the pointer, steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg.rows import dict_row

from credit_warehouse.database import connect

Rows = list[dict[str, Any]]

STEPS = {
    "pull": "取数", "load": "装载", "gate": "入库检验", "settle": "应答", "feedback": "反馈", "open_candidate": "开启候选",
    "build_core": "构建核心层", "build_marts": "构建集市层", "gate_publication": "发布检验", "publish": "发布", "discard": "作废",
    "propose_matches": "身份比对", "prune_history": "归档", "exchange_build": "组交换包", "exchange_send": "上报",
    "bulletin": "通报",
}  # fmt: skip
"""What people call the steps of ``ops.outcome``."""


class History(NamedTuple):
    """Newest first: 60 publications, 20 moves, the steps of the last 7 business dates."""

    publications: Rows
    moves: Rows
    steps: Rows


def read() -> History:
    """The history as the ledger has it now."""
    with connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        connection.execute("set transaction isolation level repeatable read, read only")
        return History(*(cursor.execute(query).fetchall() for query in (_PUBLICATIONS, _MOVES, _STEPS)))


_PUBLICATIONS = """
select
    publication.publication_id,
    publication.business_date,
    publication.state,
    current.publication_id is not null as is_current,
    publication.opened_at,
    publication.closed_at,
    (select count(*) from ops.publication_batch as batch where batch.publication_id = publication.publication_id) as batches,
    gate.passed,
    gate.waived,
    gate.warned,
    gate.blocked,
    gate.docs_path,
    publication.message
from ops.publication as publication
left join ops.current_publication as current on publication.publication_id = current.publication_id
left join lateral (
    select
        count(*) filter (where result.state = 'passed') as passed,
        count(*) filter (where result.state = 'waived') as waived,
        count(*) filter (where result.state in ('failed', 'error') and result.severity = 'warn') as warned,
        count(*) filter (where result.state in ('failed', 'error') and result.severity = 'block') as blocked,
        max(result.docs_path) as docs_path
    from ops.gate_result as result
    where result.publication_id = publication.publication_id and result.gate_run_id = (
        select newest.gate_run_id from ops.gate_result as newest
        where newest.publication_id = publication.publication_id order by newest.gate_result_id desc limit 1
    )
) as gate on true
order by publication.publication_id desc limit 60
"""
_MOVES = """
select action, from_publication_id, to_publication_id, reason, flipped_by, flipped_at
from ops.publication_flip order by flip_id desc limit 20
"""
_STEPS = """
select
    business_date,
    step,
    count(*) as runs,
    count(*) filter (where state in ('failed', 'refused')) as failures,
    min(started_at) as started_at,
    sum(finished_at - started_at) as spent
from ops.outcome
where business_date > (select max(newest.business_date) - 7 from ops.outcome as newest)
group by business_date, step order by business_date desc, min(started_at)
"""
