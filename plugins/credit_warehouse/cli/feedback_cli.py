"""``feedback``: what goes back to departments: build, send, look."""

from __future__ import annotations

from datetime import datetime

import typer

from credit_warehouse.cli.tables import console, query, show

feedback = typer.Typer(
    help="What departments must correct: build packages, send them, look at them.", no_args_is_help=True
)

_SOURCE = typer.Option(..., help="Source of the department, e.g. court.")
_NIGHT = typer.Option(
    ..., "--date", formats=["%Y-%m-%d"], help="Business date; earlier nights are made up for."
)


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.add_typer(feedback, name="feedback")


@feedback.command()
def build(source: str = _SOURCE, day: datetime = _NIGHT) -> None:
    """Make the packages of a source up to a night; sends nothing."""
    from credit_warehouse.feedback.building import build as make

    built = make(_known(source), day.date())
    console.print(f"已生成 {'、'.join(built)}" if built else "没有新的退回内容，未生成反馈单。")


@feedback.command()
def send(source: str = _SOURCE, day: datetime = _NIGHT) -> None:
    """Build what is new and send what has no receipt, as the night does."""
    from credit_warehouse import pipeline
    from credit_warehouse.feedback.address import load_addresses
    from credit_warehouse.hooks.sources import source_endpoint

    endpoint = source_endpoint(load_addresses()[_known(source)].connection)
    sent = pipeline.return_feedback(source, day.date(), endpoint, "manual")
    for label, numbers in (("已回执", sent.acknowledged), ("已送达，待回执", sent.delivered)):
        if numbers:
            console.print(f"{label}：{'、'.join(numbers)}")
    if sent.waiting or sent.refused:
        console.print(f"[red]未送达[/red]：{'、'.join(sent.waiting + sent.refused)}：{sent.reason}")
        raise typer.Exit(1)


@feedback.command("list")
def list_(
    source: str = typer.Option("", help="Only this source."),
    limit: int = typer.Option(40, min=1, max=1000, help="Newest packages to show."),
) -> None:
    """Packages, newest first: what they hold, whether the department has them, its receipt."""
    rows = query(
        """
        select package_no, rows, errors, refused_batches,
            case state when 'built' then '已生成' when 'delivered' then '已送达' when 'acknowledged' then '已回执'
                else '未送达' end,
            attempts, receipt_no, coalesce(message, location)
        from ops.feedback_package where %(source)s in ('', source)
        order by business_date desc, source, number desc limit %(limit)s
        """,
        {"source": source, "limit": limit},
    )
    columns = ["反馈单", "退回行", "问题", "整批退回", "状态", "次数", "回执号", "位置或原因"]
    show("反馈单", columns, rows, "尚无反馈单")


@feedback.command("show")
def show_(package_no: str = typer.Argument(help="Package number, e.g. FB-court-20260302-01.")) -> None:
    """What one package holds, by feed and rule, and what has become of it. No value of a row is shown."""
    rows = query(
        """
        select feed.feed_label || '  ' || feed.feed, item.error_code, item.rule, item.field, count(*),
            count(*) filter (where row.outcome = 'corrected'), count(*) filter (where row.outcome = 'rerejected'),
            count(*) filter (where row.outcome = 'ignored'), count(*) filter (where row.state = '未处理')
        from ops.feedback_package as package join ops.feedback_item as item using (package_id)
        join ops.batch using (batch_id) join ops.feed using (feed)
        left join quarantine.rejected_row as row using (batch_id, source_row)
        where package.package_no = %(number)s group by 1, 2, 3, 4 order by 1, 5 desc, 2, 4
        """,
        {"number": package_no},
    )
    columns = ["数据集", "错误码", "规则", "数据项", "问题", "已修改", "再次退回", "已忽略", "未处理"]
    show(f"反馈单 {package_no}", columns, rows, f"没有反馈单 {package_no}", grouped=True)


def _known(source: str) -> str:
    from credit_warehouse.feedback.address import load_addresses

    if source not in load_addresses():
        raise typer.BadParameter(f"no source {source!r}; sources: {', '.join(load_addresses())}")
    return source
