"""``history``: which past publications can still be read, archiving the others, and reading both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import psycopg
import typer

from credit_warehouse.cli.tables import console, query, show
from credit_warehouse.database import connect

_KEPT = {"needed": "现用或可回退", "every": "逐批保存期内", "month_end": "月末", "year_end": "年末"}


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    history = typer.Typer(
        no_args_is_help=True, help="Past publications: kept, archived, read (历史发布批次)."
    )
    history.command("list")(listing)
    history.command("prune")(prune)
    history.command("show")(published)
    app.add_typer(history, name="history")


def listing(
    as_of: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="Apply the rules on this business date (default: the newest night)."
    ),
) -> None:
    """Rules, readable publications with the rule that keeps each, and archives."""
    from credit_warehouse.history.prune import newest_night, standing

    day = as_of.date() if as_of else newest_night()
    if day is None:
        console.print("尚无发布")
        return
    rules = query(
        "select keep, months, source from ops.history_rule where valid_from <= %(day)s"
        " and (valid_to is null or valid_to >= %(day)s) order by months",
        {"day": day},
    )
    show(
        "保存规则",
        ["保存", "整月数", "来源"],
        [(_KEPT[kind], *rest) for kind, *rest in rules],
        "没有保存规则",
    )
    with connect() as connection:
        found = standing(connection, day)
    show(
        f"可读批次（按 {day} 的规则）",
        ["编号", "业务日期", "保存理由"],
        [
            (
                one.publication_id,
                str(one.business_date),
                _KEPT[one.kept_as] if one.kept_as else "到期，待归档",
            )
            for one in found
        ],
        "尚无发布",
    )
    archives = query(
        "select folder, count(*), min(publication_id), max(publication_id), min(business_date)::text,"
        " max(business_date)::text, archive.rows, round(bytes / 1048576.0, 1),"
        " coalesce('已于 ' || removed_on || ' 删除', case when swept_at is null then '待移出' else '在档' end)"
        " from ops.history_archive as archive inner join ops.pruned_publication using (archive_id)"
        " inner join ops.publication using (publication_id) group by archive_id order by archive_id"
    )
    columns = ["归档", "批次数", "自", "至", "自日期", "至日期", "行数", "MB", "状态"]
    show("归档", columns, archives, "尚无归档")


def prune(
    as_of: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="Apply the rules on this business date (default: the newest night)."
    ),
) -> None:
    """Archive what no rule keeps, and remove it from the marts. Housekeeping does this every day."""
    from credit_warehouse import pipeline

    with _plain_errors():
        done = pipeline.prune_history(as_of.date() if as_of else None, "manual")
    if done is None or not done.publications:
        console.print("没有到期的发布批次。")
    else:
        console.print(f"已将 {done.publications} 个发布批次（{done.rows} 行）归档到 {done.folder}。")
    if done and done.expired:
        console.print(f"已删除过法定保存期的归档 {done.expired} 个。")


def published(
    key: str = typer.Argument(help="Subject key, or another key with --by."),
    publication: int = typer.Option(None, help="The publication to read."),
    on: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="Or a business date: the newest publication of the nights up to it."
    ),
    by: str = typer.Option("subject_key", help="Column of the marts the key belongs to, e.g. record_key."),
) -> None:
    """What a publication said about a subject, whole, archived or not: for the auditor (某批次发布了什么)."""
    from credit_warehouse import access
    from credit_warehouse.history import reading

    if (publication is None) == (on is None):
        raise typer.BadParameter("say which: --publication NUMBER or --on DATE")
    with _plain_errors():
        number = publication if on is None else reading.publication_on(on.date())
        found = reading.published_about(key, number, by)
        access.note(
            f"history show --by {by} {key}",
            subject=UUID(key) if by == "subject_key" else None,
            record=UUID(key) if by == "record_key" else None,
            publication_id=number,
        )
    if not found:
        console.print(f"发布批次 {number} 中没有 {by} = {key} 的内容")
    for mart, rows in found.items():
        for row in rows:
            cells = [(name, value) for name, value in row.items() if value is not None]
            show(f"发布批次 {number} · {mart}", ["列", "值"], cells, "")


@contextmanager
def _plain_errors() -> Iterator[None]:
    from credit_warehouse.history.archive import ArchiveDamaged
    from credit_warehouse.history.prune import HistoryError

    try:
        yield
    except (HistoryError, ArchiveDamaged, psycopg.errors.DataError) as error:
        console.print(f"[red]✗[/] {error}")
        raise typer.Exit(1) from None
