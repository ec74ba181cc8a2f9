"""``feeds``, ``batches``, ``quarantine``: what departments owe, sent, and must correct."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import typer

from credit_warehouse.cli.tables import console, query, show


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("feeds")(feeds)
    app.command("batches")(batches)
    held = typer.Typer(help=quarantine.__doc__, invoke_without_command=True)
    held.callback()(quarantine)
    held.command("ignore")(ignore)
    held.command("corrected")(corrected)
    app.add_typer(held, name="quarantine")


def feeds() -> None:
    """Every feed by department: what was accepted, up to when, and what waits in quarantine."""
    rows = query(
        """
        select f.department_name || '  ' || f.source || '.', f.feed_label, split_part(f.feed, '.', 2),
            case i.sharing_tier when 'public' then '公示' when 'government' then '共享' else '授权' end,
            i.report_sla_workdays, coalesce(max(b.delivered_for) filter (where b.state = 'accepted')::text, '—'),
            coalesce(sum(b.accepted_rows) filter (where b.state = 'accepted'), 0)::bigint,
            (select count(*) from quarantine.rejected_row as q where q.feed = f.feed and q.state = '未处理')
        from ops.feed as f
        cross join lateral (
            select sharing_tier, report_sla_workdays from ops.catalogue_item as item
            where item.catalogue_item_code = f.catalogue_item_code order by version desc limit 1
        ) as i
        left join ops.batch as b using (feed)
        where f.is_active group by f.feed, i.sharing_tier, i.report_sla_workdays order by f.source, f.feed
        """
    )
    columns = ["部门", "名称", "数据集", "属性", "时限", "截至", "接收行", "隔离行"]
    show(
        "数据集（时限：工作日）",
        columns,
        rows,
        "尚未登记数据集：请先运行 credit-warehouse migrate",
        grouped=True,
    )


def batches(
    feed: str = typer.Option("", help="Only this feed, e.g. court.judgment_enforcement."),
    date: str = typer.Option("", help="Only the night of this business date (YYYY-MM-DD)."),
    limit: int = typer.Option(40, min=1, max=1000, help="Newest batches to show."),
) -> None:
    """The batch ledger: delivered = accepted + quarantined + refused, per delivery."""
    rows = query(
        """
        select '业务日期 ' || b.business_date, b.batch_id, f.feed_label, to_char(b.delivered_for, 'MM-DD'),
            case state when 'landed' then '已落地' when 'loaded' then '待检验' when 'accepted' then '已接收'
                when 'refused' then '已退回' else '重复' end,
            delivered_rows, accepted_rows, quarantined_rows, refused_rows, refusal_message
        from ops.batch as b join ops.feed as f using (feed)
        where (%(feed)s = '' or feed = %(feed)s) and (%(date)s = '' or business_date = nullif(%(date)s, '')::date)
        order by business_date desc, batch_id desc limit %(limit)s
        """,
        {"feed": feed, "date": date, "limit": limit},
    )
    columns = ["业务日期", "批次", "数据集", "报送日", "状态", "报送", "接收", "隔离", "退回", "说明"]
    show("批次台账（报送 = 接收 + 隔离 + 退回）", columns, rows, "没有批次", grouped=True)


def quarantine(
    context: typer.Context,
    feed: str = typer.Option("", help="Only this feed."),
    batch: int = typer.Option(0, help="Only this batch."),
    rows: bool = typer.Option(False, "--rows", help="Show the rows, not the counts per rule."),
    limit: int = typer.Option(200, min=1, max=5000, help="Most lines to show."),
) -> None:
    """Rejected rows: how many broke which rule, or row by row with the reason and what to do."""
    if context.invoked_subcommand:
        return
    where = {"feed": feed, "batch": batch, "limit": limit}
    condition = "(%(feed)s = '' or q.feed = %(feed)s) and (%(batch)s = 0 or q.batch_id = %(batch)s)"
    heading = "(select f.feed_label || '  ' || f.feed from ops.feed as f where f.feed = q.feed)"
    if rows:
        # A person's number stays in the quarantine table: the department finds the row by its number.
        found = query(
            f"""
            select {heading} || '  批次 ' || q.batch_id, v ->> 'message',
                case when v ->> 'rule' in ('check_resident_id', 'minor') then '（已隐去）' else v ->> 'value' end,
                v ->> 'suggestion', q.state
            from quarantine.rejected_row as q, jsonb_array_elements(q.violations) as v
            where {condition} order by q.feed, q.batch_id, q.source_row limit %(limit)s
            """,
            where,
        )
        show(
            "隔离行", ["数据集", "问题", "实际值", "处理建议", "状态"], found, "隔离区没有数据", grouped=True
        )
        return
    found = query(
        f"""
        select {heading}, v ->> 'label', v ->> 'rule', count(*), min(v ->> 'suggestion')
        from quarantine.rejected_row as q, jsonb_array_elements(q.violations) as v
        where {condition} group by q.feed, 2, 3 order by q.feed, 4 desc, 2 limit %(limit)s
        """,
        where,
    )
    show(
        "隔离区（按规则）",
        ["数据集", "数据项", "规则", "行数", "处理建议"],
        found,
        "隔离区没有数据",
        grouped=True,
    )
    if found:
        console.print("逐行查看：credit-warehouse quarantine --rows --feed 数据集")


_BATCH = typer.Option(..., help="Batch of the row.")
_ROW = typer.Option(..., help="Number of the row in its delivery.")
_ON = typer.Option(
    ..., "--on", formats=["%Y-%m-%d"], help="Day of the decision or of the department's answer."
)
_BY = typer.Option(..., help="Who decides: the officer, or the department that answered.")
_REASON = typer.Option(..., help="Why, with the document it rests on.")


def ignore(
    batch: int = _BATCH, row: int = _ROW, on: datetime = _ON, by: str = _BY, reason: str = _REASON
) -> None:
    """A returned row needs no correction."""
    _close(batch, row, "ignored", on, by, reason)


def corrected(
    batch: int = _BATCH, row: int = _ROW, on: datetime = _ON, by: str = _BY, reason: str = _REASON
) -> None:
    """A returned row whose key was wrong has come right under another."""
    _close(batch, row, "corrected", on, by, reason)


def _close(
    batch: int, row: int, outcome: Literal["ignored", "corrected"], on: datetime, by: str, reason: str
) -> None:
    from credit_warehouse.feedback import closing

    try:
        closing.close_by_person(batch, row, outcome, on.date(), by, reason)
    except closing.ClosingRefused as refusal:
        console.print(f"[red]未登记[/red]：{refusal}")
        raise typer.Exit(1) from None
    console.print(f"已登记：批次 {batch} 第 {row} 行{'已忽略' if outcome == 'ignored' else '已修改'}。")
