"""上报：发布之后，把应报的双公示记录组包送上级平台，收取回执。

### Exchange upward · 上报交换

**What** Compares the publication just made with what the provincial platform holds, builds one package of the records that
are new, changed or to be called back, uploads it over SFTP (connection `CREDIT_UPWARD_PLATFORM`, default `province`) and
takes receipts in. What left is in `ops.exchange_package` and `ops.exchange_item`.

**When** After every publication, for its business date (= partition key); publication neither waits for it nor turns red
with it. By hand: trigger with a partition key such as `2026-03-02`; running it twice sends nothing twice.

**If red**
- `send_packages`: the platform is down or uploads arrive damaged; it has been retried with growing pauses. The package
  stays and leaves with the next run, in order. A removal entered meanwhile makes it void and another is built.
- `build_package`: the warehouse database was away, or something of ours broke. Read the log, repair, clear the task.

A receipt that is missing or cannot be used turns nothing red: `credit-warehouse exchange list` shows it, the next run looks
again, `credit-warehouse exchange abandon NUMBER` gives a package up and its rows go again.

**中文** 上报变红不影响本市发布。平台恢复后下一次运行会按顺序补发，同一编号永远是同一文件；回执迟到、缺失或损坏时下次再取，
确认收不到的用 `credit-warehouse exchange abandon` 作废后重新组包。
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task

from credit_warehouse.operators.nights import DAG_TERMS, NIGHT_PUBLISHED, this_night
from credit_warehouse.settings import get_settings


@task(task_display_name="组包")
def build_package() -> str | None:
    """What the platform should hold against what it holds, as one package; none when they agree. 比对应报与已报，组成交换包。"""
    from credit_warehouse import pipeline

    night = this_night()
    return pipeline.exchange_build(night.business_date, run_id=night.run_id)


@task(
    task_display_name="发送并取回执",
    retries=get_settings().pull_retries,
    retry_delay=timedelta(seconds=get_settings().pull_retry_seconds),
    retry_exponential_backoff=2,
    max_retry_delay=timedelta(hours=1),
    retry_policy=None,
)
def send_packages() -> dict[str, Any]:
    """Upload in the order of the numbers, take in the receipts there are. 按编号顺序上传，收取已出具的回执。"""
    from dataclasses import asdict

    from credit_warehouse import pipeline
    from credit_warehouse.hooks.sources import source_endpoint

    night = this_night()
    endpoint = source_endpoint(get_settings().upward_platform)
    return asdict(pipeline.exchange_send(night.business_date, endpoint, run_id=night.run_id))


with DAG(
    dag_id="exchange",
    dag_display_name="上报 · 上级平台",
    description="Sends double-publicity records to the provincial platform after each publication",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=NIGHT_PUBLISHED),
    tags=["exchange", "上报"],
    **DAG_TERMS,
):
    build_package() >> send_packages()
