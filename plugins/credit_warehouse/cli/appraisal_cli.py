"""``appraisal``: the yearly score of the departments, and how each point came about."""

from __future__ import annotations

import typer

from credit_warehouse.cli.tables import query, show


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("appraisal")(appraisal)


def appraisal(
    year: int | None = typer.Option(None, help="Calendar year; default: the newest that has any figures."),
    department: str | None = typer.Option(None, help="Code of a department: its score point by point."),
) -> None:
    """The yearly score sheet as last published: departments by place, or one department point by point."""
    chosen = "coalesce(%(year)s, (select max(year) from mart.appraisal_score))"
    parameters = {"year": year, "department": department}
    if department is None:
        rows = query(
            "select place, department_name, score, points, assessed_points, full_points,"
            " array_to_string(not_assessed, '、') || case when is_provisional then '（年度未结束）' else '' end"
            f" from mart.appraisal_score where year = {chosen} order by place nulls last, department_code",
            parameters,
        )
        columns = ["名次", "单位", "折算得分", "得分", "可评满分", "总满分", "未评指标"]
        show("年度考核", columns, rows, "还没有可考核的数据")
        return
    rows = query(
        "select category, indicator_label, points, max_points, explanation"
        " || case when is_small then '（样本少）' else '' end"
        f" from mart.appraisal_point where year = {chosen} and department_code = %(department)s order by ordinal",
        parameters,
    )
    show(
        f"年度考核 {department}",
        ["类别", "指标", "得分", "满分", "说明"],
        rows,
        f"“{department}”没有考核数据",
        grouped=True,
    )
