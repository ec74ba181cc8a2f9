"""``exchange``: packages for the provincial platform, by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from credit_warehouse.cli.tables import console, query, show
from credit_warehouse.settings import get_settings

if TYPE_CHECKING:
    from credit_warehouse.connections import Endpoint
    from credit_warehouse.upward.exchanging import Exchanged

OPERATIONS = {"insert": "新增", "update": "变更", "delete": "撤回"}
OUTCOMES = {"waiting": "待回执", "accepted": "已确认", "rejected": "被拒", "void": "包已作废"}
CALL_BACK_REASONS = {
    "revocation": "已撤销",
    "repair": "已信用修复",
    "objection_upheld": "异议成立",
    "withdrawal": "部门撤回",
    "ended": "已失效",
    "expired": "已过公示期",
    "not_shareable": "不再属于共享范围",
}
_STATES = {
    "built": "待发送",
    "sent": "待回执",
    "acknowledged": "已确认",
    "partly_rejected": "部分被拒",
    "rejected": "全部被拒",
    "failed": "已作废",
}

exchange = typer.Typer(help="Packages for the provincial platform (上报交换).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.add_typer(exchange, name="exchange")


@exchange.command()
def build(
    removals: bool = typer.Option(False, "--removals", help="Only call back what may no longer be shared."),
    retry: bool = typer.Option(False, "--retry", help="With the rows refused or held back before."),
) -> None:
    """Build the next package from the current publication."""
    from credit_warehouse import pipeline

    with _plain_errors():
        name = pipeline.exchange_build(_night(), "manual", removals_only=removals, retry=retry)
    console.print(f"已组成交换包 {name}。" if name else "上级平台所持与应报一致，无需组包。")


@exchange.command()
def send(
    removals: bool = typer.Option(
        False, "--removals", help="First build a package of call-backs, then send."
    ),
) -> None:
    """Upload what is built, in order, and wait a while for receipts."""
    from credit_warehouse import pipeline

    with _plain_errors():
        endpoint = _endpoint()
        if removals:
            pipeline.exchange_build(_night(), "manual", removals_only=True)
        _print(pipeline.exchange_send(_night(), endpoint, "manual"))


@exchange.command()
def receipts() -> None:
    """Take in the receipts that have come since; sends nothing."""
    from credit_warehouse.upward import exchanging
    from credit_warehouse.upward.transport import sftp_inbox

    with _plain_errors():
        endpoint = _endpoint()
        _print(exchanging.collect(get_settings(), lambda: sftp_inbox(endpoint)))


@exchange.command()
def abandon(
    number: int = typer.Argument(help="Number of the package."),
    reason: str = typer.Option(help="Why, in Chinese; kept on record."),
) -> None:
    """Give up a package whose receipt never comes: its rows go again, or are called back, in the next one."""
    from credit_warehouse.upward import exchanging

    with _plain_errors():
        exchanging.abandon(get_settings(), number, reason)
    console.print(f"交换包 {number} 已作废，其记录下次另行组包。")


@exchange.command("list")
def list_(limit: int = typer.Option(30, min=1, max=1000, help="Newest packages to show.")) -> None:
    """Packages, newest first, and what our own rules hold back."""
    rows = query(
        """
        select package.name, package.state, package.is_removals_only, package.business_date::text,
            package.publication_id, package.rows, to_char(package.sent_at, 'MM-DD HH24:MI'),
            to_char(package.answered_at, 'MM-DD HH24:MI'), item.accepted, item.rejected, package.message
        from ops.exchange_package as package
        cross join lateral (
            select count(*) filter (where outcome = 'accepted') as accepted,
                count(*) filter (where outcome = 'rejected') as rejected
            from ops.exchange_item where exchange_item.package_id = package.package_id
        ) as item
        where package.platform = %(platform)s order by package.number desc limit %(limit)s
        """,
        {"platform": get_settings().upward_platform, "limit": limit},
    )
    columns = ["交换包", "状态", "种类", "业务日期", "发布", "行数", "发送", "回执", "确认", "被拒", "说明"]
    told = [(row[0], _STATES[row[1]], "撤回" if row[2] else "增量", *row[3:]) for row in rows]
    show("上报交换包", columns, told, "尚无交换包")
    held = query(
        """
        select record_key::text, feed, business_date::text,
            (select string_agg(violation ->> 'message', '；') from jsonb_array_elements(violations) as violation)
        from ops.exchange_held where platform = %(platform)s order by business_date desc, record_key limit %(limit)s
        """,
        {"platform": get_settings().upward_platform, "limit": limit},
    )
    if held:
        show("按本市规则不予上报", ["记录键", "数据项", "业务日期", "原因"], held, "")


@exchange.command("show")
def show_(number: int = typer.Argument(help="Number of the package.")) -> None:
    """Rows of one package: what they came from, what the platform said."""
    rows = query(
        """
        select item.feed, item.record_key::text, item.operation, item.batch_id, item.source_row, item.outcome,
            item.reject_reason, item.call_back_reason
        from ops.exchange_item as item inner join ops.exchange_package as package using (package_id)
        where package.platform = %(platform)s and package.number = %(number)s order by item.feed, item.record_key
        """,
        {"platform": get_settings().upward_platform, "number": number},
    )
    told = [
        (
            *row[:2],
            OPERATIONS[row[2]],
            *row[3:5],
            OUTCOMES[row[5]],
            row[6] or (CALL_BACK_REASONS[row[7]] if row[7] else ""),
        )
        for row in rows
    ]
    columns = ["数据项", "记录键", "操作", "批次", "行", "结果", "说明"]
    show(f"交换包 {number}", columns, told, f"没有编号为 {number} 的交换包", grouped=True)


def _night() -> date:
    """Business date of the publication readers see."""
    from credit_warehouse import publication

    current = publication.current()
    if current is None:
        raise publication.PublicationError("尚无已发布的批次，没有可上报的记录")
    return publication.describe(current).business_date


def _endpoint() -> Endpoint:
    """The platform's connection, as Airflow gets it: ``AIRFLOW_CONN_<PLATFORM>`` in JSON."""
    from credit_warehouse.connections import Endpoint
    from credit_warehouse.runtime import envfile

    name = f"AIRFLOW_CONN_{get_settings().upward_platform.upper()}"
    given = os.environ.get(name) or envfile.read(get_settings().home / "runtime.env").get(name)
    if not given:
        raise LookupError(f"没有上级平台的连接：请设置环境变量 {name}（JSON，见 .env.example）")
    fields: dict[str, Any] = json.loads(given)
    return Endpoint(
        fields["conn_type"],
        fields["host"],
        fields.get("port") or 22,
        fields["login"],
        fields["password"],
        fields["extra"],
    )


def _print(done: Exchanged) -> None:
    told = [
        ("组包", done.built),
        ("已发送", done.sent),
        ("已取回执", done.answered),
        ("待回执", done.waiting),
    ]
    for label, names in told:
        if names:
            console.print(f"{label}：{'、'.join(names)}")
    for problem in done.problems:
        console.print(f"[yellow]{problem}[/yellow]")
    if done == type(done)():
        console.print("没有待发送的交换包，也没有待取的回执。")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Ends the command with one clear sentence for what a person can act on."""
    from credit_warehouse.errors import SourceUnavailable
    from credit_warehouse.publication import PublicationError
    from credit_warehouse.upward.ledger import ExchangeBusy

    try:
        yield
    except (SourceUnavailable, PublicationError, ExchangeBusy, LookupError) as error:
        console.print(f"[red]未完成[/red]：{error}")
        raise typer.Exit(1) from None
