"""日常清理：删除异常中断留下的临时文件和超过保存期的任务日志，历史发布批次按规则归档；落地文件、台账和隔离区从不删除。

### Housekeeping · 日常清理

**What** Removes scratch folders left by killed tasks, and task logs older than `CREDIT_LOG_KEEP_DAYS` (default 200 days: the
law asks for six months). Archives the publications that no row of `ops.history_rule` keeps readable, once a month as a rule.

**When** 12:30 Asia/Shanghai, when no night runs.

**If red** A folder could not be removed: read the log, put permissions right, clear the task. Nothing waits for it. `prune_history` red with "又成为读者所见": somebody rolled back meanwhile; clear it.

**中文** 每天中午清理一次；变红不影响取数和发布，按日志处理目录权限后清除（Clear）重跑即可。
"""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable, task

from credit_warehouse.operators.nights import DAG_TERMS
from credit_warehouse.settings import get_settings


@task(task_display_name="清理")
def sweep() -> dict[str, int]:
    """Counts of what was removed. 删除数量。"""
    from dataclasses import asdict
    from datetime import UTC, datetime
    from pathlib import Path

    from airflow.configuration import conf

    from credit_warehouse import housekeeping

    log_dir = Path(conf.get("logging", "base_log_folder"))
    return asdict(housekeeping.sweep(get_settings(), log_dir, datetime.now(UTC)))


@task(task_display_name="历史归档")
def prune_history(run_id: str | None = None) -> dict[str, int | str | None]:
    """Counts of what was archived; empty before the first publication. 归档数量。"""
    from dataclasses import asdict

    from credit_warehouse import pipeline

    done = pipeline.prune_history(run_id=run_id)
    return asdict(done) if done else {}


with DAG(
    dag_id="housekeeping",
    dag_display_name="日常清理",
    description="Removes left-over scratch and logs past their time; archives publications past theirs",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 12 * * *", timezone=get_settings().timezone),
    tags=["housekeeping", "清理"],
    **DAG_TERMS,
):
    sweep()
    prune_history()
