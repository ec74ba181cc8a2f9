"""通报：发布之后，重写领导总览页以及本月（未完则为暂定）和上月的月度通报，一页一文件（HTML 与 PDF），可打印、可邮件发送。

### Monthly bulletin · 月度通报

**What** Writes the leaders' page (总览), the bulletin of the night's month (provisional until its last day) and of the month
before, whose late rows and corrections still come in, from the publication just made, into `bulletins` of the data folder; as PDF
too where Chromium is installed.

**When** After every publication, for its business date (= partition key); publication neither waits for it nor turns red
with it. Any other month: `credit-warehouse bulletin 2026-01`.

**If red** The warehouse database was away, the folder cannot be written, or Chromium did not print. Put it right, clear the task;
the pages of the last publication stay as they were, whole.

**中文** 通报写明依据的发布版本；变红不影响发布。数据库或目录恢复后清除（Clear）重跑即可，旧页面在新页面写完之前保持不变。
"""

from __future__ import annotations

from airflow.sdk import DAG, PartitionedAssetTimetable, task

from credit_warehouse.operators.nights import DAG_TERMS, NIGHT_PUBLISHED, this_night


@task(task_display_name="编写通报")
def write_bulletins() -> list[str]:
    """The pages written. 按刚发布的版本重写总览、本月与上月通报。"""
    from credit_warehouse import pipeline

    night = this_night()
    return [str(page) for page in pipeline.write_bulletins(night.business_date, run_id=night.run_id)]


with DAG(
    dag_id="bulletin",
    dag_display_name="通报 · 总览与月度通报",
    description="Writes the leaders' page and the monthly bulletins again after each publication",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=NIGHT_PUBLISHED),
    tags=["bulletin", "通报"],
    **DAG_TERMS,
):
    write_bulletins()
