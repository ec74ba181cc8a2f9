"""取数：每个来源一张图，由 contracts/ 下的契约生成。

One DAG per source. Its feeds are pulled, what landed is loaded, one gate checks it, and the source answers for the night.
What goes wrong for one feed does not keep the others out. 逐条拉取，落地后装载；一道质量门检查本来源当晚的批次；最后由来源“应答”。
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.operators.nights import DAG_TERMS, NIGHT_ANSWERED, nightly, this_night
from credit_warehouse.settings import get_settings

DOC = """
### {department} · nightly intake

**What** {labels}. Pull → land → split into accepted and quarantined rows → quality gate → the source answers
→ what it must correct goes back to it.

**When** 01:00 Asia/Shanghai for the business date just ended (= partition key). Any other night: trigger this DAG with
a partition key such as `2026-03-02`. Running a night twice is harmless.

**If red**
- `pull`: the source is down or has not delivered; the log names the feeds. It has been retried with growing pauses; the night was published
  without it (outcome *late*). When it is back, trigger the same partition key again: it publishes again.
- `feedback` skipped: the department could not be reached or did not take its package; it is sent again the next night.
- `load`, `gate`, `settle`, `feedback`: something of ours broke (bad data never turns a task red, it is refused or quarantined and
  recorded). Read the log, repair, clear the task.

**中文** 拉取变红：来源未送达或连不上，已按退避重试，当晚按“迟到”处理，不影响其他部门；恢复后用同一业务日期再触发一次即可补发布。
“反馈”被跳过：反馈单未能送达，下一晚再送。
其余任务变红：系统故障，看日志，修好后清除（Clear）该任务。数据本身的问题不会变红：见隔离区与 `credit-warehouse quarantine`。
"""


@task(
    task_display_name="拉取",
    retries=get_settings().pull_retries,
    retry_delay=timedelta(seconds=get_settings().pull_retry_seconds),
    retry_exponential_backoff=2,
    max_retry_delay=timedelta(hours=1),
    retry_policy=None,
)
def pull(feeds: dict[str, str]) -> dict[str, list[int]]:
    """Fetch what the department has delivered and land it, untouched. 从部门系统取回并原样落地。

    One task for all feeds of the source, a few at a time. The log and the ledger name a feed that is missing; the others
    are landed all the same.
    """
    from credit_warehouse import pipeline
    from credit_warehouse.hooks.sources import source_endpoint

    night = this_night()
    endpoints = {feed: source_endpoint(connection) for feed, connection in feeds.items()}
    return pipeline.pull_all(endpoints, night.business_date, run_id=night.run_id)


@task(task_display_name="装载", trigger_rule="all_done")
def load(feeds: list[str]) -> dict[str, list[int]]:
    """Check every row of the landed batches: accepted to raw, the rest to quarantine. 逐行校验，分流入库或隔离。

    One task for all feeds of the source: a task of its own for each costs more than loading a night's change. What
    breaks for one feed does not keep the others out.
    """
    from credit_warehouse import pipeline

    night = this_night()
    return pipeline.load_all(feeds, night.business_date, run_id=night.run_id)


@task(task_display_name="质量门", trigger_rule="all_done")
def gate(source: str) -> dict[str, Any]:
    """Great Expectations on the loaded batches: each is accepted or refused. 批次质量门：通过或退回。"""
    from credit_warehouse import pipeline

    night = this_night()
    return pipeline.gate(source, night.business_date, run_id=night.run_id)


@task(task_display_name="应答", trigger_rule="all_done", multiple_outputs=True)
def settle(source: str) -> dict[str, Any]:
    """Answer for the night whatever happened: delivered, late, refused, unchanged. 无论如何都给出应答。"""
    from credit_warehouse import pipeline

    night = this_night()
    answers = pipeline.settle(source, night.business_date, run_id=night.run_id)
    # Asked right after the own answer is in the ledger: of two that answer at once, one at least sees both.
    return {"answers": answers, "waiting_for": pipeline.unanswered(night.business_date)}


@task(task_display_name="通知发布", outlets=[NIGHT_ANSWERED], retry_policy=None)
def signal(waiting_for: list[str]) -> None:
    """Call publication if that answer completed the night; skipped while others are missing. 应答齐备后通知发布。"""
    from airflow.sdk.exceptions import AirflowSkipException

    if waiting_for:
        raise AirflowSkipException(f"还在等待：{'、'.join(waiting_for)}")


@task(task_display_name="反馈", trigger_rule="all_done")
def feedback(source: str) -> dict[str, Any]:
    """Give back what the department must correct, over its own channel. 把需更正的行退回部门；送不达的下一晚再送。"""
    from dataclasses import asdict

    from airflow.sdk.exceptions import AirflowSkipException

    from credit_warehouse import pipeline
    from credit_warehouse.feedback.address import load_addresses
    from credit_warehouse.hooks.sources import source_endpoint

    night = this_night()
    endpoint = source_endpoint(load_addresses()[source].connection)
    sent = pipeline.return_feedback(source, night.business_date, endpoint, run_id=night.run_id)
    if sent.waiting or sent.refused:
        raise AirflowSkipException(f"下一晚再送：{'、'.join(sent.waiting + sent.refused)}：{sent.reason}")
    return asdict(sent)


def intake(source: str, contracts: list[FeedContract]) -> DAG:
    """The intake of one source."""
    department = contracts[0].terms.department.name
    feeds = {contract.feed: contract.terms.delivery.connection for contract in contracts}
    labels = "、".join(contract.label for contract in contracts)
    with DAG(
        dag_id=f"intake_{source}",
        dag_display_name=f"取数 · {department}",
        description=f"Nightly intake from {department}: {labels}",
        doc_md=DOC.format(department=department, labels=labels),
        schedule=nightly(get_settings().nightly_schedule),
        tags=["intake", "取数", source],
        **DAG_TERMS,
    ) as dag:
        pulled = pull(feeds)
        loaded = load(list(feeds))
        answer: Any = settle(source)
        # Runs without a worker. The source answers even when a pull failed; this makes the run red all the same.
        all_in = EmptyOperator(
            task_id="all_in", task_display_name="全部到齐", doc_md="Red when a feed is missing."
        )
        pulled >> loaded >> gate(source) >> answer
        signal(answer["waiting_for"])
        # Publication does not wait for it.
        answer >> feedback(source)
        [pulled, loaded, answer] >> all_in
    return dag


for _source, _contracts in groupby(load_contracts().values(), key=lambda contract: contract.source):
    intake(_source, list(_contracts))
