"""``accesses``: who looked at what."""

from __future__ import annotations

from uuid import UUID

import typer

from credit_warehouse.cli.tables import query, show


def register(app: typer.Typer) -> None:
    """Mount the verb of this module."""
    app.command("accesses")(accesses)


def accesses(
    subject: UUID | None = typer.Option(None, help="Only looks at this subject."),
    record: UUID | None = typer.Option(None, help="Only looks at this record."),
    login: str = typer.Option("", help="Only looks of this login."),
    limit: int = typer.Option(40, min=1, max=10_000, help="Newest looks to show."),
) -> None:
    """Who looked at which subject, record or mart, through which command, newest first (访问日志)."""
    rows = query(
        """
        select to_char(at, 'YYYY-MM-DD HH24:MI:SS'), login::text, person, read_as, command, mart, subject_key, record_key,
            publication_id
        from ops.access
        where (%(subject)s::uuid is null or subject_key = %(subject)s) and (%(login)s = '' or login = %(login)s)
            and (%(record)s::uuid is null or record_key = %(record)s)
        order by access_id desc limit %(limit)s
        """,
        {"subject": subject, "record": record, "login": login, "limit": limit},
    )
    columns = ["时间", "账号", "用户", "身份", "命令", "集市", "主体", "记录", "发布批次"]
    show("访问日志", columns, rows, "没有访问记录")
