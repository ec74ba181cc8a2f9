"""``doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import typer
from rich.markup import escape

from credit_warehouse.cli.tables import console
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``advice`` says what to do when it is not in order."""

    name: str
    ok: bool
    seen: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Mount the verbs of this module."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Check settings, contracts, database, ledger, sources and the current publication; exit 1 if anything is wrong."""
    findings = list(_findings())
    for finding in findings:
        mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
        console.print(f"{mark} {finding.name}：{escape(finding.seen)}")
        if not finding.ok:
            console.print(f"    → {escape(finding.advice)}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    from credit_warehouse.contracts import ContractError, load_contracts

    settings = get_settings()
    has_pepper = settings.pepper is not None
    yield Finding(
        "主体密钥", has_pepper, "已设置" if has_pepper else "未设置", "运行 make up，或设置 CREDIT_PEPPER"
    )
    try:
        yield Finding("数据契约", True, f"{len(load_contracts())} 个")
    except ContractError as error:
        yield Finding(
            "数据契约", False, str(error), "按提示修改契约文件，再运行 credit-warehouse contracts check"
        )
        return
    try:
        with connect() as connection:
            yield from _database(connection)
    except (psycopg.OperationalError, RuntimeError) as error:
        yield Finding("数据库", False, str(error).strip(), "运行 make up，或检查 CREDIT_DATABASE_URL")
    except psycopg.errors.UndefinedTable:
        yield Finding("数据库结构", False, "尚未建立", "运行 credit-warehouse migrate")


def _sessions(connection: psycopg.Connection) -> Finding:
    """Who keeps others waiting now, or has sat in a transaction for longer than a step waits for a lock."""
    found = connection.execute(
        "select pid, application_name, usename from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and (pid in (select unnest(pg_blocking_pids(pid)) from pg_stat_activity)"
        " or state like 'idle in transaction%%' and state_change < clock_timestamp() - make_interval(secs => %s))"
        " order by xact_start",
        [get_settings().lock_timeout_seconds],
    ).fetchall()
    return Finding(
        "占用的会话",
        not found,
        "无"
        if not found
        else "、".join(f"{pid}（{program or '未署名'}，{user}）" for pid, program, user in found),
        "请其结束事务；联系不上时由数据库管理员执行 select pg_terminate_backend(编号)",
    )


def _database(connection: psycopg.Connection) -> Iterator[Finding]:
    def one(statement: str) -> tuple[Any, ...]:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return row

    yield Finding("数据库", True, f"PostgreSQL {one('show server_version')[0]}")
    version = one("select version_num from ops.alembic_version")[0]
    yield Finding("数据库结构", True, f"版本 {version}")
    yield _sessions(connection)
    broken = one(
        "select count(*) from ops.batch where state in ('loaded', 'accepted') and delivered_rows is null"
    )[0]
    lost = one(
        "select count(*) from ops.batch as b where b.state in ('loaded', 'accepted') and b.quarantined_rows <>"
        " (select count(*) from quarantine.rejected_row as q where q.batch_id = b.batch_id)"
    )[0]
    yield Finding(
        "批次台账",
        broken + lost == 0,
        "报送 = 接收 + 退回，逐批相符" if broken + lost == 0 else f"{broken + lost} 个批次不符",
        "查看 credit-warehouse batches，联系本中心数据工程师",
    )
    waiting = one("select count(*) from ops.batch where state in ('landed', 'loaded')")[0]
    yield Finding("待处理批次", waiting == 0, f"{waiting} 个", "重跑该来源当晚的取数 DAG")
    stale = connection.execute(
        """
        select f.feed_label, max(b.delivered_for), f.max_age_days from ops.feed as f
        left join ops.batch as b on b.feed = f.feed and b.state = 'accepted'
        where f.is_active
        group by f.feed having max(b.delivered_for) is null
            or (select max(business_date) from ops.publication where state = 'published') - max(b.delivered_for) > f.max_age_days
        """
    ).fetchall()
    yield Finding(
        "数据时效",
        not stale,
        "各数据集均在最长时限内"
        if not stale
        else "、".join(f"{label}（截至 {day or '无'}）" for label, day, _ in stale),
        "联系部门补报；超过最长时限会阻断发布",
    )
    open_candidates = one("select count(*) from ops.publication where state = 'candidate'")[0]
    published = one(
        "select max(business_date)::text from ops.publication join ops.current_publication using (publication_id)"
    )[0]
    yield Finding(
        "当前发布", published is not None, f"业务日期 {published or '无'}", "运行 make nightly DATE=…"
    )
    yield Finding(
        "候选批次",
        open_candidates == 0,
        "无遗留" if open_candidates == 0 else "有未完成的候选批次",
        "发布正在进行则稍候；否则下次发布会自动作废它",
    )
