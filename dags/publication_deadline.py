"""发布截止：到点仍未应答的来源按“迟到”处理，不让一个部门拖住全市。

### Publication deadline · 发布截止

**What** Answers *late* for every source that has not answered for the business date (= partition key), so that publication
goes on with the last accepted data of that source. Its own intake goes on trying; when the data comes, publication
runs again.

**When** 06:00 Asia/Shanghai for the business date just ended. It always calls publication, so it also wakes one that was paused
or missed its signal during the night; with nothing new, that run publishes nothing.

**If red** The warehouse database was away. Clear the task.

**中文** 早上 6 点对尚未应答的来源记“迟到”，发布照常进行，该来源沿用上一批已通过的数据并标明数据日期；数据补到后会再次发布。
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task

from credit_warehouse.operators.nights import DAG_TERMS, NIGHT_ANSWERED, nightly, this_night
from credit_warehouse.settings import get_settings


@task(task_display_name="代为应答", outlets=[NIGHT_ANSWERED])
def answer_for_the_missing() -> dict[str, Any]:
    """Answers given here, by source: what the ledger knows of their feeds, usually *late*. 未应答来源记为迟到。"""
    from credit_warehouse import pipeline

    night = this_night()
    return {
        source: pipeline.settle(source, night.business_date, run_id=night.run_id)
        for source in pipeline.unanswered(night.business_date)
    }


with DAG(
    dag_id="publication_deadline",
    dag_display_name="发布截止",
    description="Stops waiting for sources that have not answered, so that the night is published",
    doc_md=__doc__,
    schedule=nightly(get_settings().publication_deadline),
    tags=["publication", "发布"],
    **DAG_TERMS,
):
    answer_for_the_missing()
