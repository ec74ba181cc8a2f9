"""``publications`` and ``publish``: what readers see, and moving the pointer."""

from __future__ import annotations

import getpass
from datetime import date, datetime

import typer

from credit_warehouse.cli.tables import console, query, show


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("publications")(publications)
    app.command("publish")(publish)


def publications(limit: int = typer.Option(30, min=1, max=1000, help="Newest publications to show.")) -> None:
    """Publications, newest first: which one readers see, and why the others are not it."""
    rows = query(
        """
        select p.publication_id, case when c.publication_id is not null then '◀' end, p.business_date::text,
            case p.state when 'published' then '已发布' when 'candidate' then '候选' else '已作废' end,
            (select count(*) from ops.publication_batch as b where b.publication_id = p.publication_id),
            to_char(p.opened_at, 'MM-DD HH24:MI'),
            coalesce((select string_agg(distinct g.message, '；') from ops.gate_result as g
             where g.publication_id = p.publication_id and g.severity = 'block' and g.state in ('failed', 'error')),
             p.message)
        from ops.publication as p left join ops.current_publication as c using (publication_id)
        order by p.publication_id desc limit %(limit)s
        """,
        {"limit": limit},
    )
    columns = ["编号", "当前", "业务日期", "状态", "新批次", "开启", "说明"]
    show("发布（◀ 读者所见）", columns, rows, "尚无发布")


def publish(
    day: datetime = typer.Option(
        None, "--date", formats=["%Y-%m-%d"], help="Business date to publish as of."
    ),
    full_refresh: bool = typer.Option(False, help="Rebuild everything; gives the same marts, takes longer."),
    rollback: bool = typer.Option(False, "--rollback", help="Point readers back at an earlier publication."),
    to: int = typer.Option(
        None, help="With --rollback: the publication to go back to (default: the one before)."
    ),
    reason: str = typer.Option("", help="With --rollback: why; kept in the record of moves."),
) -> None:
    """Build, check and publish a candidate, or roll back. Readers switch in one moment and never see a mixture."""
    from credit_warehouse import pipeline, publication
    from credit_warehouse.transform.run import BuildFailed

    try:
        if rollback:
            if not reason:
                raise typer.BadParameter("a rollback needs a reason", param_hint="--reason")
            before, now = publication.rollback(to, reason, getpass.getuser())
            console.print(f"读者所见已由发布批次 {before} 切换到 {now}。")
            # What is printed and mailed follows what readers see.
            _rewrite_pages(publication.describe(now).business_date)
            return
        if day is None:
            raise typer.BadParameter("say which business date to publish", param_hint="--date")
        number = pipeline.run_publication(date(day.year, day.month, day.day), "manual", full_refresh)
    except (publication.PublicationError, pipeline.GateFailed, BuildFailed) as error:
        console.print(f"[red]未发布[/red]：{error}")
        raise typer.Exit(1) from None
    console.print(f"已发布批次 {number}。" if number else "自上次发布以来没有变化，无需发布。")


def _rewrite_pages(night: date) -> None:
    from credit_warehouse import pipeline
    from credit_warehouse.bulletin.printing import PrintFailed

    try:
        pipeline.write_bulletins(night, "manual")
    except PrintFailed as error:
        console.print(
            f"[yellow]切换已生效，但总览和通报未全部打印[/yellow]：{error}。可运行 overview、bulletin 重做。"
        )
