"""``plan``: where the city's plans stand on any day, and evidence of progress."""

from __future__ import annotations

import getpass
from collections import Counter
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NoReturn

import typer

from credit_warehouse.cli.tables import console, query, show
from credit_warehouse.plans.evidence import EvidenceKind, EvidenceRefused
from credit_warehouse.plans.evidence import add as add_evidence
from credit_warehouse.plans.evidence import withdraw as withdraw_evidence

plan = typer.Typer(
    help="The city's plans: where tasks and targets stand, and evidence.", no_args_is_help=True
)
evidence = typer.Typer(help="Dated evidence about tasks and targets.", no_args_is_help=True)
plan.add_typer(evidence, name="evidence")

_ORDER = ("never_evidenced", "overdue", "at_risk", "on_track", "not_measurable", "met_late", "met")
Status = Literal["met", "met_late", "on_track", "at_risk", "overdue", "never_evidenced", "not_measurable"]


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.add_typer(plan, name="plan")


@plan.command()
def status(
    as_of: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="Any day, past or future (default: the night last published)."
    ),
    unit: str = typer.Option(
        "", help="Only tasks of this unit, by today's name or the plan's; part of it will do."
    ),
    only: Status = typer.Option(None, "--status", help="Only this status."),
    rules: bool = typer.Option(False, "--rules", help="Say with each row by which rule it has its status."),
) -> None:
    """Where every task and target of the city's plans stands."""
    if query("select to_regclass('mart.plan_status_history')") == [(None,)]:
        console.print("尚未发布过，没有规划状态可看。")
        return
    day = as_of.date() if as_of else query("select ops.reading_night()")[0][0]
    if day is None:
        console.print("尚未发布过，没有规划状态可看；可用 --as-of 指定日期。")
        return
    parameters = {"day": day, "unit": unit, "status": only or ""}
    tasks = query(_TASKS, parameters)
    # A target is nobody's in particular.
    targets = [] if unit else query(_TARGETS, parameters)
    console.print(
        f"[bold]{_city()}规划进展[/]  截至 {day}  （完整编码：规划编码-编号，如 huizhou_personal-T001）"
    )
    _summary(tasks, targets)
    shown = 8 if rules else 7
    show(
        "任务",
        ["规划", "编号", "条款", "任务", "牵头／责任单位", "期限", "状态", "规则"][:shown],
        [row[1 : 1 + shown] for row in tasks],
        "没有符合条件的任务",
        grouped=True,
    )
    if not unit:
        shown = 9 if rules else 8
        show(
            "指标",
            ["规划", "编号", "指标", "目标", "现值", "分子/分母", "期限", "状态", "规则"][:shown],
            [row[1 : 1 + shown] for row in targets],
            "没有符合条件的指标",
            grouped=True,
        )


_HOLDS = "held_from <= %(day)s and (held_until is null or held_until >= %(day)s)"
_DUE = """case
    when due_on is null then '长期'
    when reached_on is not null then due_on::text
    when due_on < %(day)s then due_on || '（超 ' || (%(day)s::date - due_on) || ' 天）'
    else due_on || '（余 ' || (due_on - %(day)s::date) || ' 天）'
end"""

_TASKS = f"""
    select status, plan_title || '  ' || plan_code, split_part(task_code, '-', 2), article, task,
        coalesce(
            nullif(array_to_string(lead_units, '、'), '')
            || case when responsible_units = '{{}}' then '' else '／' || array_to_string(responsible_units, '、') end,
            nullif(array_to_string(responsible_units, '、'), ''), '原文未列'
        ),
        {_DUE} || case deadline_kind when 'undated' then ' 规划期末' else '' end, status_label, rule_text
    from mart.plan_task_status
    where {_HOLDS} and %(status)s in ('', status)
        and (%(unit)s = '' or exists (
            select from mart.plan_task_unit as named
            where named.task_code = plan_task_status.task_code
                and (strpos(named.unit_name, %(unit)s) > 0 or strpos(named.today_name, %(unit)s) > 0)
        ))
    order by ordinal
"""

_TARGETS = f"""
    select status, plan_title || '  ' || plan_code, split_part(target_code, '-', 2), metric, coalesce(trim_scale(target_value) || '%%', milestone),
        case when value is not null then trim_scale(value) || '%%' || case when is_small then '（分母小）' else '' end
            when denominator_name is null and target_value is not null then '未知' end,
        numerator || '/' || denominator || ' ' || denominator_name,
        {_DUE}, status_label, rule_text
    from mart.plan_target_status
    where {_HOLDS} and %(status)s in ('', status)
    order by ordinal
"""


def _city() -> str:
    rows = query("select city_name from ops.city join ops.office using (city)")
    return str(rows[0][0]) if rows else ""


def _summary(tasks: list[tuple[Any, ...]], targets: list[tuple[Any, ...]]) -> None:
    labels = dict(query("select distinct status, status_label from ops.plan_status_rule"))
    of_tasks, of_targets = (Counter(row[0] for row in rows) for rows in (tasks, targets))
    show(
        "汇总",
        ["状态", "任务", "指标"],
        [(labels[one], of_tasks[one], of_targets[one]) for one in _ORDER if of_tasks[one] or of_targets[one]]
        + [("合计", len(tasks), len(targets))],
        "",
    )


@evidence.command()
def add(
    item: str = typer.Argument(help="Code of the task or target, e.g. huizhou_personal-T001."),
    kind: EvidenceKind = typer.Option(help="What it shows; measured takes --value."),
    on: datetime = typer.Option(formats=["%Y-%m-%d"], help="Day of the document."),
    document: str = typer.Option(help="The document that shows it."),
    note: str = typer.Option(help="What was done or found, in Chinese."),
    value: str = typer.Option(None, help="Percent, for measured."),
    by: str = typer.Option(default_factory=getpass.getuser, help="Who enters it."),
) -> None:
    """Enter evidence; the next publication takes it in. It is never altered, only withdrawn."""
    try:
        number = add_evidence(item, kind, on.date(), note, document, by, _percent(value))
    except EvidenceRefused as error:
        _refused(error)
    console.print(f"已录入佐证 {number}：{item} {kind.label}，{on.date()}。下次发布起生效。")


@evidence.command()
def withdraw(
    number: int = typer.Argument(help="Number of the entry."),
    on: datetime = typer.Option(formats=["%Y-%m-%d"], help="Day of the document."),
    document: str = typer.Option(help="The document that says so."),
    note: str = typer.Option(help="Why, in Chinese."),
    by: str = typer.Option(default_factory=getpass.getuser, help="Who enters it."),
) -> None:
    """Take back an entry: it counts no more, from any day."""
    try:
        withdrawal = withdraw_evidence(number, on.date(), note, document, by)
    except EvidenceRefused as error:
        _refused(error)
    console.print(f"已撤回佐证 {number}（撤回编号 {withdrawal}）。下次发布起生效。")


@evidence.command("list")
def list_(
    item: str = typer.Option("", help="Only this task or target."),
    limit: int = typer.Option(40, min=1, max=1000, help="Newest entries to show."),
) -> None:
    """Evidence of the city's plans, newest first, also what no publication has taken in yet."""
    rows = query(
        """
        select entry.evidence_id, coalesce(task_code, target_code), entry.dated_on::text,
            case entry.kind when 'progress' then '进展' when 'completed' then '完成' when 'measured' then '计量'
                else '撤回 ' || entry.withdraws end,
            trim_scale(entry.value) || '%%', entry.note, entry.document, entry.entered_by,
            case
                when exists (select from ops.plan_evidence as w where w.withdraws = entry.evidence_id) then '已撤回'
                when entry.kind <> 'withdrawn' then '有效'
            end
        from ops.plan_evidence as entry
        left join ops.plan_task as task using (task_code)
        left join ops.plan_target as target using (target_code)
        join ops.plan as plan on plan.plan_code in (task.plan_code, target.plan_code)
        join ops.office as office on office.city = plan.city
        where %(item)s in ('', task_code, target_code)
        order by entry.evidence_id desc limit %(limit)s
        """,
        {"item": item, "limit": limit},
    )
    columns = ["编号", "任务或指标", "佐证日期", "类别", "计量值", "说明", "文件", "录入人", "状态"]
    show("规划佐证", columns, rows, "尚无佐证")


def _percent(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text.rstrip("%％"))
    except InvalidOperation as error:
        raise EvidenceRefused(f"计量值 {text} 不是百分数，请写成 85 或 85.5") from error


def _refused(error: EvidenceRefused) -> NoReturn:
    console.print(f"[red]未录入[/red]：{error}")
    raise typer.Exit(1) from None
