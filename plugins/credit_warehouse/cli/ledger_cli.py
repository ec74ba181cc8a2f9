"""``feeds``, ``batches``, ``quarantine``: what departments owe, sent, and must correct."""

from __future__ import annotations

import typer

from credit_warehouse.cli.tables import console, query, show


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("feeds")(feeds)
    app.command("batches")(batches)
    app.command("quarantine")(quarantine)


def feeds() -> None:
    """Every feed: department, catalogue item, newest accepted data and what waits in quarantine."""
    rows = query(
        """
        select f.feed, f.feed_label, f.department_name, f.sharing_tier, f.report_sla_workdays,
            max(b.delivered_for) filter (where b.state = 'accepted')::text,
            coalesce(sum(b.accepted_rows) filter (where b.state = 'accepted'), 0)::bigint,
            (select count(*) from quarantine.rejected_row as q where q.feed = f.feed and q.state = '未处理')
        from ops.feed as f left join ops.batch as b using (feed)
        where f.is_active group by f.feed order by f.feed
        """
    )
    columns = ["数据集", "名称", "部门", "共享属性", "时限(工作日)", "数据截至", "已接收行", "待处理隔离行"]
    show("数据集", columns, rows, "尚未登记数据集：请先运行 credit-warehouse migrate")


def batches(
    feed: str = typer.Option("", help="Only this feed, e.g. court.judgment_enforcement."),
    date: str = typer.Option("", help="Only the night of this business date (YYYY-MM-DD)."),
    limit: int = typer.Option(40, min=1, max=1000, help="Newest batches to show."),
) -> None:
    """The batch ledger: delivered = accepted + quarantined + refused, per delivery."""
    rows = query(
        """
        select batch_id, feed, business_date::text, delivered_for::text,
            case state when 'landed' then '已落地' when 'loaded' then '待检验' when 'accepted' then '已接收'
                when 'refused' then '已退回' else '重复' end,
            delivered_rows, accepted_rows, quarantined_rows, refused_rows, refusal_message
        from ops.batch
        where (%(feed)s = '' or feed = %(feed)s) and (%(date)s = '' or business_date = nullif(%(date)s, '')::date)
        order by batch_id desc limit %(limit)s
        """,
        {"feed": feed, "date": date, "limit": limit},
    )
    columns = ["批次", "数据集", "业务日期", "报送日期", "状态", "报送", "接收", "隔离", "退回", "说明"]
    show("批次台账（报送 = 接收 + 隔离 + 退回）", columns, rows, "没有批次")


def quarantine(
    feed: str = typer.Option("", help="Only this feed."),
    batch: int = typer.Option(0, help="Only this batch."),
    rows: bool = typer.Option(False, "--rows", help="Show the rows, not the counts per rule."),
    limit: int = typer.Option(50, min=1, max=5000, help="Most lines to show."),
) -> None:
    """Rejected rows: how many broke which rule, or row by row with the reason and what to do."""
    where = {"feed": feed, "batch": batch, "limit": limit}
    condition = "(%(feed)s = '' or q.feed = %(feed)s) and (%(batch)s = 0 or q.batch_id = %(batch)s)"
    if rows:
        found = query(
            f"""
            select q.batch_id, q.feed, q.source_row, v ->> 'message',
                case when v ->> 'rule' in ('check_resident_id') then '（已隐去）' else v ->> 'value' end,
                v ->> 'suggestion', q.state
            from quarantine.rejected_row as q, jsonb_array_elements(q.violations) as v
            where {condition} order by q.batch_id, q.source_row limit %(limit)s
            """,
            where,
        )
        show(
            "隔离行",
            ["批次", "数据集", "行号", "问题", "实际值", "处理建议", "状态"],
            found,
            "隔离区没有数据",
        )
        return
    found = query(
        f"""
        select q.feed, v ->> 'rule', v ->> 'label', count(*), count(distinct q.batch_id), min(v ->> 'suggestion')
        from quarantine.rejected_row as q, jsonb_array_elements(q.violations) as v
        where {condition} group by 1, 2, 3 order by 1, 4 desc limit %(limit)s
        """,
        where,
    )
    show(
        "隔离区（按规则）",
        ["数据集", "规则", "数据项", "行数", "批次数", "处理建议"],
        found,
        "隔离区没有数据",
    )
    if found:
        console.print("逐行查看：credit-warehouse quarantine --rows --feed 数据集")
