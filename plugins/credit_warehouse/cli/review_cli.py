"""``review``: candidates for records that name nobody, and the decisions about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import typer

from credit_warehouse.cli.tables import console, query, show
from credit_warehouse.matching.masking import mask_name, mask_number

review = typer.Typer(
    help="Candidates for records that name nobody: propose, look at, decide.", no_args_is_help=True
)

_SHORTEST_KEY = 8


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.add_typer(review, name="review")


@review.command()
def propose(
    day: datetime = typer.Option(
        None,
        "--date",
        formats=["%Y-%m-%d"],
        help="Business date to propose for (default: the newest batch's).",
    ),
) -> None:
    """Propose candidates for what is new since the last time. Links nothing."""
    from credit_warehouse import pipeline

    business_date = day.date() if day else _newest_night()
    if business_date is None:
        console.print("尚无已接收的批次，没有可以比对的记录。")
        return
    found = pipeline.propose_matches(business_date, "manual")
    console.print(
        f"比对 {found.records} 条记录、{found.pairs} 对，待审候选 {found.candidates} 个。"
        if found.batches
        else "自上次比对以来没有新数据。"
    )


@review.command("list")
def list_(
    feed: str = typer.Option("", help="Only this feed, e.g. court.dishonest_judgment_debtor."),
    everything: bool = typer.Option(
        False, "--all", help="Also records that were decided, or have no candidate."
    ),
    limit: int = typer.Option(40, min=1, max=1000, help="Most records to show."),
) -> None:
    """Records that wait for a decision, the likeliest match first."""
    rows = query(
        """
        select f.feed_label || '  ' || f.feed, left(record.record_key::text, %(key)s), record.name, record.number,
            record.subject_type, record.batch_id || ':' || record.source_row, found.pending, found.best, found.link
        from vault.unlinked_record as record
        join ops.feed as f using (feed)
        cross join lateral (
            select count(*) filter (where state in ('待审', '已撤销')) as pending, max(score)::float8 as best,
                max(case state when '已关联' then '已关联' end) as link
            from vault.match_review as r where r.record_key = record.record_key
        ) as found
        where (%(feed)s = '' or record.feed = %(feed)s)
            and (%(everything)s or (found.pending > 0 and found.link is null))
        order by record.feed, found.best desc nulls last, record.record_key limit %(limit)s
        """,
        {"feed": feed, "everything": everything, "limit": limit, "key": _SHORTEST_KEY},
    )
    show(
        "待审记录（可能性由模型估计，仅供参考，由人决定）",
        ["数据集", "记录", "当事人", "号码", "批次:行", "候选", "最高可能", "状态"],
        [
            (feed_, key, mask_name(name, kind), mask_number(number, kind), place, pending, _share(best), link)
            for feed_, key, name, number, kind, place, pending, best, link in rows
        ],
        "没有待审的记录",
        grouped=True,
    )
    if rows:
        console.print("查看一条：credit-warehouse review show 记录")


@review.command("show")
def show_(record: str = typer.Argument(help="Record key, or its first eight characters.")) -> None:
    """One record, its candidates, why each was proposed, and what was decided."""
    key = _record(record)
    found = query(
        "select feed, name, number, subject_type, sex, age, decided_on, representative, batch_id, source_row"
        " from vault.unlinked_record where record_key = %(key)s",
        {"key": key},
    )
    if not found:
        console.print(f"记录 {key} 已由部门补正、撤回或退回，无需再审。")
        _history(key)
        return
    for feed, name, number, kind, sex, age, decided_on, representative, batch, row in found:
        console.print(f"[bold]记录 {key}[/]  {feed}  批次 {batch} 第 {row} 行  认定日期 {decided_on}")
        facts = [name, mask_number(number, kind), sex, f"{age} 岁" if age is not None else None]
        facts += [f"法定代表人 {representative}" if representative else None]
        console.print("  " + "，".join(fact for fact in facts if fact))
    candidates = query(
        "select r.subject_key, i.name, i.id_value, i.subject_type, score::float8, match_weight, explanation, state,"
        " decision_id from vault.match_review as r join vault.identity as i using (subject_key)"
        " where record_key = %(key)s order by score desc, subject_key",
        {"key": key},
    )
    if not candidates:
        console.print("没有候选：号码可见位与任何同名主体都不符，或依据不足。")
    for subject, name, number, kind, score, weight, explanation, state, decision in candidates:
        console.print(
            f"\n[bold]候选 {subject}[/]  {name}  {mask_number(number, kind)}  可能 {_share(score)}  {state}"
            + (f"（决定 {decision}）" if decision else "")
        )
        show(
            f"权重合计 {weight}（每 1 表示可能性翻一倍，负数表示减半）",
            ["比对项", "结果", "权重"],
            [(entry["item"], entry["level"], entry["weight"]) for entry in explanation],
            "",
        )
    _history(key)


def _history(key: UUID) -> None:
    rows = query(
        "select decision_id, case decision when 'link' then '关联' when 'reject' then '否决' else '撤销决定 ' || undoes end,"
        " left(subject_key::text, %(short)s), decided_by, reason, document, to_char(decided_at, 'YYYY-MM-DD HH24:MI')"
        " from ops.match_decision where record_key = %(key)s order by decision_id",
        {"key": key, "short": _SHORTEST_KEY},
    )
    if rows:
        console.print()
        show("决定", ["编号", "决定", "主体", "经办人", "理由", "依据", "时间"], rows, "")


@review.command()
def collisions() -> None:
    """One identifier under several names, one organisation under several codes; and the records held until somebody decides."""
    if query("select to_regclass('vault.identity_collision_review')") == [(None,)]:
        console.print("尚未构建过，没有冲突可看。")
        return
    rows = query(
        "select kind_label, id_value, delivered_names, kind, delivered_rows, first_seen_on::text, last_seen_on::text"
        " from vault.identity_collision_review order by kind, identity_key, id_value"
    )
    show(
        "身份冲突",
        ["冲突", "号码或代码", "名称", "行数", "首次", "最近"],
        [
            (label, mask_number(number, _of(kind)), _names(names, _of(kind)), count, first, last)
            for label, number, names, kind, count, first, last in rows
        ],
        "没有身份冲突",
        grouped=True,
    )
    held = query(
        "select record.feed, left(held.record_key::text, %(key)s), left(held.subject_key::text, %(key)s),"
        " record.party_name, record.document_no from vault.held_record() as held"
        " inner join core.credit_record as record using (record_key)"
        " where record.subject_key is null order by 1, 2",
        {"key": _SHORTEST_KEY},
    )
    show(
        "因姓名不符而待核的记录（review decide 记录 --subject 主体 --link 或 --reject）",
        ["数据集", "记录", "证件号码对应的主体", "当事人", "文书"],
        held,
        "没有待核的记录",
    )


def _of(collision: str) -> str:
    return "person" if collision == "person_names" else "organisation"


def _names(names: list[str] | None, kind: str) -> str:
    """Names that differ must be seen to differ: a person's first and last character."""
    if kind == "organisation":
        return "、".join(names or [])
    return "、".join(f"{name[:1]}*{name[-1:]}" for name in names or [])


@review.command()
def decide(
    record: str = typer.Argument(help="Record key, or its first eight characters."),
    subject: str = typer.Option(..., help="Subject key of the candidate, or its first eight characters."),
    link: bool = typer.Option(..., "--link/--reject", help="It is this subject, or it is not."),
    by: str = typer.Option(..., help="Who decides."),
    reason: str = typer.Option(..., help="Why."),
    document: str = typer.Option(..., help="Document the decision rests on."),
) -> None:
    """Decide about one candidate. The decision is kept for ever and can be undone."""
    from credit_warehouse.matching import review as decisions

    key = _record(record)
    chosen = _one(
        "select subject_key from vault.match_candidate where record_key = %(key)s and subject_key::text like %(start)s"
        " union select subject_key from vault.held_record() where record_key = %(key)s"
        " and subject_key::text like %(start)s",
        subject,
        f"记录 {key} 的候选主体",
        key=key,
    )
    decision: Literal["link", "reject"] = "link" if link else "reject"
    try:
        number = decisions.decide(key, chosen, decision, by, reason, document)
    except decisions.DecisionRefused as refusal:
        console.print(f"[red]未登记[/red]：{refusal}")
        raise typer.Exit(1) from None
    console.print(
        f"已登记决定 {number}：{'关联' if link else '否决'}。关联自下一次发布起生效；可用 review undo 撤销。"
    )


@review.command()
def undo(
    decision: int = typer.Argument(help="Number of the decision to take back."),
    by: str = typer.Option(..., help="Who takes it back."),
    reason: str = typer.Option(..., help="Why."),
) -> None:
    """Take a decision back; both entries stay on file."""
    from credit_warehouse.matching import review as decisions

    try:
        number = decisions.undo(decision, by, reason)
    except decisions.DecisionRefused as refusal:
        console.print(f"[red]未撤销[/red]：{refusal}")
        raise typer.Exit(1) from None
    console.print(f"已登记撤销 {number}：决定 {decision} 不再有效。")


def _newest_night() -> date | None:
    ((newest,),) = query("select max(business_date) from ops.batch where state = 'accepted'")
    return newest


def _record(start: str) -> UUID:
    return _one(
        "select record_key from vault.unlinked_record where record_key::text like %(start)s"
        " union select record_key from vault.held_record() where record_key::text like %(start)s"
        " union select record_key from ops.match_decision where record_key::text like %(start)s",
        start,
        "待审记录",
    )


def _one(statement: str, start: str, what: str, **parameters: object) -> UUID:
    """The one key that begins like this."""
    if len(start) < _SHORTEST_KEY or not set(start.lower()) <= set("0123456789abcdef-"):
        raise typer.BadParameter(f"at least {_SHORTEST_KEY} characters of a key, as `review list` shows it")
    found = query(statement, {**parameters, "start": f"{start.lower()}%"})
    if len(found) != 1:
        console.print(f"[red]{what} {start} {'不存在' if not found else '不唯一，请多写几位'}[/red]")
        raise typer.Exit(1)
    return UUID(str(found[0][0]))


def _share(score: float | None) -> str:
    if score is None:
        return ""
    return ">99.9%" if score > 0.999 else f"{score:.1%}"
