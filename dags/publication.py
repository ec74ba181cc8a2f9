"""发布：各来源都应答后，构建候选版本，过质量门，一次切换。

### Publication · 发布

**What** Opens a candidate publication, lets dbt build core and marts for the affected subjects, checks the candidate with
Great Expectations, and flips the pointer every reader follows. Readers see the last publication until that flip.

**When** As soon as every source has answered for the same business date (= partition key): delivered, refused or late.
Runs again for that date when late data comes. Nothing new since the last publication: everything after
`open_candidate` is skipped.

**If red** Readers still have the last publication; the candidate was discarded.
- `gate_publication`: the log and `ops.gate_result` say which expectation failed, on what, and what to do. Repair the cause
  (or enter a waiver with reason, owner and expiry), then clear `open_candidate` and what follows.
- `build_core`, `build_marts`: a model or test failed, `ops.dbt_result` names it. Repair, then clear from `open_candidate`.
- `publish`, `discard`: the database was away. Clear the task.
- Any step, with 磁盘空间不足, 内存不足, 超过时限 or 连接中断 in its log: our machine, no verdict on data. Remove the cause, trigger the night again.
- `propose_matches` (the run stays green): no candidates for masked records tonight. Clear the task; the next night makes up for it.

**中文** 等待的是“应答”，不是数据：某来源迟到不耽误其他部门，数据补到后自动再次发布。任一步骤变红时，线上仍是上一版本，候选版本已作废；
按质量门日志的提示处理后，从“开启候选”起清除（Clear）重跑。
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, PartitionedAssetTimetable, get_current_context, task

from credit_warehouse.operators.nights import DAG_TERMS, NIGHT_ANSWERED, NIGHT_PUBLISHED, this_night

REASON = "reason"


@contextmanager
def reason_kept() -> Iterator[None]:
    """Leave the message of a failure for ``discard``, which writes it beside the publication's number."""
    try:
        yield
    except Exception as failure:
        get_current_context()["ti"].xcom_push(REASON, str(failure))
        raise


@task.short_circuit(task_display_name="开启候选")
def open_candidate() -> int | None:
    """Number of the candidate, or nothing to publish: the rest is skipped. 没有变化则跳过其余步骤。"""
    from credit_warehouse import pipeline

    night = this_night()
    return pipeline.open_candidate(night.business_date, run_id=night.run_id)


@task
def build(layer: Literal["core", "marts"], publication_id: int) -> int:
    """dbt builds one layer for the affected subjects and tests it. dbt 只重算受影响的主体并测试。"""
    from credit_warehouse import pipeline

    with reason_kept():
        pipeline.build(layer, publication_id, run_id=this_night().run_id)
    return publication_id


@task(task_display_name="发布质量门")
def gate_publication(publication_id: int) -> int:
    """Great Expectations on the candidate, before anybody can read it. 候选版本质量门，不通过则不发布。"""
    from airflow.sdk.exceptions import AirflowFailException

    from credit_warehouse import pipeline

    with reason_kept():
        try:
            pipeline.gate_publication(publication_id, run_id=this_night().run_id)
        except pipeline.GateFailed as failure:
            # The message is for the person who opens the log; where in our code it was raised is not.
            raise AirflowFailException(str(failure)) from None
    return publication_id


@task(task_display_name="发布", outlets=[NIGHT_PUBLISHED])
def publish(publication_id: int) -> None:
    """One update flips the pointer, for every mart at once. 一次切换，所有报表同时更新。"""
    from credit_warehouse import pipeline

    with reason_kept():
        pipeline.publish(publication_id, run_id=this_night().run_id)


@task(task_display_name="提出匹配候选")
def propose_matches() -> None:
    """Records that name nobody get candidates, for a person to decide about. 为无法识别主体的记录提出候选，由人决定。"""
    from credit_warehouse import pipeline

    night = this_night()
    pipeline.propose_matches(night.business_date, run_id=night.run_id)


@task(task_display_name="作废候选", trigger_rule="one_failed")
def discard() -> None:
    """Remove what the failed candidate wrote; readers keep the last publication. 作废候选，线上版本不受影响。"""
    from airflow.sdk.exceptions import AirflowSkipException

    from credit_warehouse import pipeline

    night = this_night()
    this = get_current_context()["ti"]
    publication_id = this.xcom_pull(task_ids="open_candidate")
    if publication_id is None:
        raise AirflowSkipException("no candidate was opened")
    reasons = [
        this.xcom_pull(task_ids=step.task_id, key=REASON)
        for step in this.task.get_direct_relatives(upstream=True)
    ]
    reason = next(filter(None, reasons), f"a step was killed in {night.run_id}")
    pipeline.discard(publication_id, reason, run_id=night.run_id)


with DAG(
    dag_id="publication",
    dag_display_name="发布 · 信用数据集市",
    description="Builds, checks and publishes the marts once every source has answered for the night",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=NIGHT_ANSWERED),
    tags=["publication", "发布"],
    **DAG_TERMS,
):
    # What each step hands on is the number of the candidate.
    candidate: Any = open_candidate()
    core: Any = build.override(task_id="build_core", task_display_name="构建核心层")("core", candidate)
    marts: Any = build.override(task_id="build_marts", task_display_name="构建集市层")("marts", core)
    checked: Any = gate_publication(marts)
    published = publish(checked)
    [core, marts, checked, published] >> discard()
    # Runs without a worker. A candidate well discarded is no success: this makes the run red.
    published >> EmptyOperator(
        task_id="live", task_display_name="已上线", doc_md="Red when nothing went live."
    )
    # What went live stays live without candidates: this keeps their failure from making the run red.
    (
        published
        >> propose_matches()
        >> EmptyOperator(
            task_id="proposed",
            task_display_name="候选已处理",
            doc_md="Green even when no candidates could be proposed.",
            trigger_rule="all_done",
        )
    )
