"""What a night left in the ledger: per department its rows and answer, and the publication."""

from dataclasses import dataclass
from datetime import date

from rich.table import Table

from credit_warehouse.database import connect

_ANSWERS = {
    "succeeded": "已送达 delivered",
    "refused": "已退回 refused",
    "late": "迟到 late",
    "unchanged": "无变化 unchanged",
}
_STATES = {"published": "已发布 published", "discarded": "已作废 discarded", "candidate": "候选 candidate"}

# Grain: one department. The newest answer of each feed counts.
_DEPARTMENTS = """
with delivery as (
    select feed, sum(delivered_rows)::bigint as delivered, sum(accepted_rows)::bigint as accepted,
        sum(quarantined_rows + refused_rows)::bigint as rejected
    from ops.batch where business_date = %(night)s and delivered_rows is not null group by feed
), answer as (
    select distinct on (feed) feed, state from ops.outcome
    where business_date = %(night)s and step = 'settle' and state not in ('running', 'failed')
    order by feed, outcome_id desc
)
select feed.source, string_agg(distinct feed.department_name, '、'), coalesce(sum(delivered), 0)::bigint,
    coalesce(sum(accepted), 0)::bigint, coalesce(sum(rejected), 0)::bigint,
    array_agg(distinct answer.state) filter (where answer.state is not null)
from ops.feed left join delivery using (feed) left join answer using (feed)
where feed.is_active group by feed.source order by feed.source
"""
_PUBLICATION = """
select publication_id, publication.state, publication.message, current.publication_id is not null
from ops.publication left join ops.current_publication as current using (publication_id)
where business_date = %s order by publication_id desc limit 1
"""
# Blocking findings on the night's newest publication, of the gate's newest run on it.
_FINDINGS = """
select expectation_id, message, next_steps from ops.gate_result
where gate = 'publication' and severity = 'block' and state in ('failed', 'error') and gate_run_id = (
    select gate_run_id from ops.gate_result where gate = 'publication' and publication_id = %s
    order by gate_result_id desc limit 1)
order by gate_result_id
"""
_UNAVAILABLE = """
select exists (
    select from ops.outcome where business_date = %s and source = %s and step = 'pull' and state = 'failed'
        and code = 'source_unavailable')
"""


@dataclass(frozen=True)
class DepartmentNight:
    """A department's night; `delivered = accepted + rejected`, in rows."""

    source: str
    department: str
    delivered: int
    accepted: int
    rejected: int
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Publication:
    """The newest publication of a night."""

    publication_id: int
    state: str
    message: str | None
    is_current: bool


@dataclass(frozen=True)
class Finding:
    """An expectation that kept a candidate from being published."""

    expectation: str
    message: str
    next_steps: str


def departments(business_date: date) -> list[DepartmentNight]:
    with connect() as connection:
        rows = connection.execute(_DEPARTMENTS, {"night": business_date}).fetchall()
    return [
        DepartmentNight(source, label, delivered, accepted, rejected, tuple(answers or ()))
        for source, label, delivered, accepted, rejected, answers in rows
    ]


def publication(business_date: date) -> Publication | None:
    with connect() as connection:
        row = connection.execute(_PUBLICATION, [business_date]).fetchone()
    return Publication(*row) if row else None


def is_published(business_date: date) -> bool:
    """Whether any publication of this night went live, whatever later attempts came to."""
    with connect() as connection:
        query = "select from ops.publication where business_date = %s and state = 'published'"
        return connection.execute(query, [business_date]).rowcount > 0


def findings(published: Publication) -> list[Finding]:
    with connect() as connection:
        return [Finding(*row) for row in connection.execute(_FINDINGS, [published.publication_id])]


def was_unavailable(business_date: date, source: str) -> bool:
    """Whether a pull of this source found it down or empty: late, and no fault of ours."""
    with connect() as connection:
        row = connection.execute(_UNAVAILABLE, [business_date, source]).fetchone()
    return bool(row and row[0])


def table(business_date: date, rows: list[DepartmentNight], published: Publication | None) -> Table:
    """The night as a person reads it."""
    shown = Table(title=f"{business_date} 各部门归集情况 / the night per department", title_justify="left")
    shown.add_column("部门 department", overflow="fold")
    for heading in ("报送\ndelivered", "入库\naccepted", "退回\nrejected"):
        shown.add_column(heading, justify="right")
    shown.add_column("答复 answer", overflow="fold")
    shown.add_column("发布 publication", overflow="fold")
    for row in rows:
        answers = "\n".join(_ANSWERS.get(answer, answer) for answer in row.answers)
        shown.add_row(
            f"{row.department} ({row.source})",
            f"{row.delivered:,}",
            f"{row.accepted:,}",
            f"{row.rejected:,}",
            answers or "–",
            _publication_text(published),
        )
    return shown


def _publication_text(published: Publication | None) -> str:
    if published is None:
        return "–"
    state = _STATES.get(published.state, published.state)
    return f"{published.publication_id} {state}" + (", 当前 current" if published.is_current else "")
