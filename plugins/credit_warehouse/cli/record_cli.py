"""``explain``, ``change`` and ``objections``: where a record comes from, and what officers decide about it."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any

import typer

from credit_warehouse.changes import ChangeKind
from credit_warehouse.cli.exchange_cli import CALL_BACK_REASONS, OPERATIONS, OUTCOMES
from credit_warehouse.cli.tables import console, query, show


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("explain")(explain)
    app.command("change")(change)
    app.command("changes")(changes)
    app.command("objections")(objections)


def explain(record: str = typer.Argument(help="Key of the record, or the number of its document.")) -> None:
    """Trace a record: file, row and document, catalogue and clocks, changes, every publication it appeared in."""
    from credit_warehouse import access, provenance

    try:
        key = provenance.find(record)
        found = provenance.explain(key)
    except provenance.UnknownRecord as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    access.note("explain", record=key, subject=found.record["subject_key"])
    _print_record(found.record, found.hidden)
    show(
        "报送版本（● 现行）",
        ["", "更新时间", "批次", "行", "报送日期", "入库日", "文件", "SHA-256", "契约"],
        [
            (
                "●" if row["stands"] else "撤" if row["is_withdrawal"] else "",
                f"{row['updated_at']:%Y-%m-%d %H:%M:%S}",
                row["batch_id"],
                row["source_row"],
                row["delivered_for"],
                row["business_date"],
                row["landed_path"],
                row["sha256"][:12],
                row["contract_version"],
            )
            for row in found.deliveries
        ],
        "没有已入库的版本",
    )
    if found.rejections:
        show(
            "曾被退回",
            ["批次", "行", "入库日", "状态", "原因"],
            [
                (row["batch_id"], row["source_row"], row["business_date"], row["state"], row["messages"])
                for row in found.rejections
            ],
            "",
        )
    show(
        "变更",
        ["编号", "类型", "生效日期", "文书", "理由", "录入人", "录入时间"],
        [_event(row) for row in found.changes],
        "没有撤销、修复、异议等变更",
    )
    show(
        "发布（起、止为发布批次）",
        ["起", "止", "状态", "批次", "行", "公示截止", "读者可见时间"],
        [
            (
                row["valid_from_publication"],
                "至今" if row["valid_to_publication"] is None else row["valid_to_publication"] - 1,
                _STATUS[row["status"]],
                row["batch_id"],
                row["source_row"],
                row["displayed_until"] or "不限",
                _seen(row),
            )
            for row in found.publications
        ],
        "从未发布",
    )
    show(
        "上报",
        ["平台", "交换包", "业务日期", "操作", "批次", "行", "发送时间", "结果", "说明"],
        [_sending(row) for row in found.sendings],
        "从未上报",
    )


_STATUS = {
    "in_force": "在效",
    "ended": "已失效",
    "expired": "已过公示期",
    "unusable": "已过使用期",
    "outside_catalogue": "不在目录",
    "withdrawn": "部门撤回",
    "revoked": "已撤销",
    "repaired": "已修复",
    "annulled": "异议成立",
}
_TIERS = {"public": "公示", "government": "政务共享", "authorised": "授权查询"}
_EFFECTS = {"adverse": "失信", "neutral": "中性", "positive": "守信"}


def _print_record(record: dict[str, Any], hidden: str | None) -> None:
    clean = {name: "—" if value in (None, "") else value for name, value in record.items()}
    lines = [
        ("记录键", f"{clean['record_key']}"),
        ("主体", f"{clean['party_name']}  {clean['organisation_uscc']}  主体键 {clean['subject_key']}"),
        ("事项", f"{clean['feed_label']}（{clean['feed']}，{clean['department_name']}）  {clean['title']}"),
        ("文书", f"{clean['document_no']}  {clean['authority_name']}  决定日期 {clean['decision_date']}"),
        (
            "目录",
            f"{clean['catalogue_item_code']} {clean['catalogue_item_name']} 第 {clean['catalogue_version']} 版"
            f"  {_TIERS.get(str(clean['sharing_tier']), '—')}  {_EFFECTS[clean['effect']]}",
        ),
        ("依据", str(clean["legal_basis"])),
        (
            "报送时限",
            f"应于 {clean['report_due_on']} 前报送，首次报送 {clean['first_received_on']}，用时 {clean['delay_workdays']} 个工作日",
        ),
        ("公示期限", f"{clean['display_note']}；公示截止 {record['displayed_until'] or '不限'}"),
        (
            "使用期限",
            f"可查询、使用至 {record['usable_until'] or '不限'}；最早可修复 {clean['repairable_from']}",
        ),
        (
            "现状",
            ("[yellow]不公示[/]：" + hidden if hidden else "[green]公示中[/]")
            + ("，[yellow]异议审核中[/]" if record["is_under_objection"] else ""),
        ),
    ]
    for label, text in lines:
        console.print(f"[bold]{label}[/]{'　' * (4 - len(label))} {text}")


def _event(row: dict[str, Any]) -> tuple[Any, ...]:
    where = f"批次 {row['batch_id']} 行 {row['source_row']}" if row["batch_id"] else ""
    return (
        row["event_id"],
        ChangeKind(row["kind"]).label,
        row["effective_on"],
        row["document_no"],
        "；".join(part for part in (row["reason"], row["objection_no"], row["severity"]) if part),
        f"{row['entered_by']} {where}".strip(),
        f"{row['entered_at']:%Y-%m-%d %H:%M:%S}",
    )


def _sending(row: dict[str, Any]) -> tuple[Any, ...]:
    reason = row["call_back_reason"]
    return (
        row["platform"],
        row["name"],
        row["business_date"],
        OPERATIONS[row["operation"]],
        row["batch_id"],
        row["source_row"],
        f"{row['sent_at']:%Y-%m-%d %H:%M}" if row["sent_at"] else "",
        OUTCOMES[row["outcome"]],
        row["reject_reason"] or (CALL_BACK_REASONS[reason] if reason else ""),
    )


def _seen(row: dict[str, Any]) -> str:
    if not row["was_shown"]:
        return "未曾"
    until = f"{row['shown_until']:%m-%d %H:%M}" if row["shown_until"] else "现在"
    return f"{row['shown_from']:%Y-%m-%d %H:%M} 至 {until}"


def change(
    record: str = typer.Argument(help="Key of the record, or the number of its document."),
    kind: ChangeKind = typer.Option(help="What is decided about the record."),
    on: datetime = typer.Option(formats=["%Y-%m-%d"], help="Day of the document."),
    document: str = typer.Option(help="Number of the document that decides it."),
    reason: str = typer.Option(help="Why, in Chinese."),
    by: str = typer.Option(default_factory=getpass.getuser, help="Officer."),
    objection_no: str = typer.Option(None, help="For objections: the office's number of it."),
    severity: str = typer.Option(None, help="For severity_finding: 轻微, 一般, 较重 or 严重."),
    early: bool = typer.Option(False, "--early", help="Repair before the shortest display period is over."),
) -> None:
    """Enter a change of a record. A removal holds in every outlet when the command returns."""
    from credit_warehouse import changes as record_changes
    from credit_warehouse import provenance

    try:
        key = provenance.find(record)
        if kind is ChangeKind.REPAIR and not early:
            _not_too_early(key, on)
        number = record_changes.enter(key, kind, on.date(), document, reason, by, objection_no, severity)
    except (provenance.UnknownRecord, record_changes.ChangeRefused) as error:
        console.print(f"[red]未录入[/red]：{error}")
        raise typer.Exit(1) from None
    console.print(f"已录入变更 {number}：{kind.label}（{key}）。")


def _not_too_early(key: Any, on: datetime) -> None:
    from credit_warehouse.changes import ChangeRefused

    rows = query("select repairable_from from core.credit_record where record_key = %(key)s", {"key": key})
    if rows and rows[0][0] and on.date() < rows[0][0]:
        raise ChangeRefused(
            f"最短公示期至 {rows[0][0]} 届满，此前不予修复（DOMAIN.md §4.5）；法律另有规定的加 --early"
        )


def changes(
    limit: int = typer.Option(30, min=1, max=1000, help="Newest changes to show."),
) -> None:
    """Changes of records, newest first: who, why, by which document, and whether in time."""
    rows = query(
        """
        select event_id, kind, effective_on::text, document_no, reason, entered_by, to_char(entered_at, 'MM-DD HH24:MI'),
            case when is_late then '超期（应于 ' || due_on || '）' when due_on is not null then '按期' end
        from audit.record_change order by event_id desc limit %(limit)s
        """,
        {"limit": limit},
    )
    columns = ["编号", "类型", "生效日期", "文书", "理由", "录入人", "录入时间", "时限"]
    show("记录变更", columns, [(row[0], ChangeKind(row[1]).label, *row[2:]) for row in rows], "尚无变更")


def objections(
    overdue: bool = typer.Option(False, "--overdue", help="Only those past their last day."),
) -> None:
    """Objections as last published: accepted, due, decided; overdue ones first."""
    rows = query(
        """
        select objection_no, feed, filed_on::text, due_on::text, state, closed_on::text, workdays_taken,
            case when is_overdue then '超期' end, deadline_source
        from mart.objection where is_overdue or not %(overdue)s
        order by is_overdue desc, filed_on, objection_no
        """,
        {"overdue": overdue},
    )
    columns = ["异议编号", "数据项", "受理", "期限", "状态", "办结", "工作日", "超期", "期限依据"]
    show("异议办理", columns, rows, "没有超期的异议" if overdue else "尚无异议")
