"""`nightly` and `demo`: play a night on the running system and judge how it went."""

from collections.abc import Sequence
from datetime import date

from rich.console import Console

from credit_warehouse.runtime import (
    airflow_services,
    answer_key,
    night,
    night_report,
    simulator_service,
    verbs,
)
from credit_warehouse.runtime.environment import Environment
from credit_warehouse.runtime.night import FailedTask
from credit_warehouse.runtime.processes import Supervisor
from credit_warehouse.runtime.progress import Progress
from credit_warehouse.runtime.simulator_service import FIRST_NIGHT


def nightly(console: Console, business_date: date, sources: Sequence[str] = ()) -> bool:
    """One night: departments deliver, sources are taken in, a publication follows; prints what became of it.

    `sources` limits it to some (a late one made good). Returns False when something broke that is no verdict on
    data: a late source, refused batches and a failed publication gate are expected outcomes.
    """
    return _play(console, verbs.up(console), business_date, sources)


def demo(console: Console) -> bool:
    """The first night, once, compared with the simulator's answer key; returns whether they agree."""
    running = verbs.up(console)
    if night_report.is_published(FIRST_NIGHT):
        console.print(
            f"night {FIRST_NIGHT} is published already: nothing to do, nothing changed", highlight=False
        )
        _show(console, FIRST_NIGHT)
        succeeded = True
    else:
        succeeded = _play(console, running, FIRST_NIGHT) and night_report.is_published(FIRST_NIGHT)
    key = answer_key.expected(simulator_service.home_of(running), FIRST_NIGHT)
    wrong = answer_key.differences(key, night_report.departments(FIRST_NIGHT))
    for line in wrong:
        console.print(f"[red]✗ {line}[/]", highlight=False)
    if not wrong:
        console.print("[green]✓[/] every department's rows equal the simulator's answer key", highlight=False)
    verbs.show_addresses(console, running)
    console.print("Look around, then `make nightly DATE=2026-03-03`, or stop everything with `make down`.")
    return succeeded and not wrong


def _play(console: Console, running: Environment, business_date: date, sources: Sequence[str] = ()) -> bool:
    progress = Progress(console)
    with progress.step(f"departments deliver {business_date}"):
        simulator_service.advance(running, business_date)
    console.print(
        f"night {business_date}: Airflow takes in and publishes ({running.airflow_url})", highlight=False
    )
    supervisor = Supervisor(running.home)
    dags = [airflow_services.INTAKE + source for source in sources] or airflow_services.intake_dags()
    with verbs.api_of(running) as api:
        played = night.play(api, dags, business_date, console, lambda: verbs.require_all_running(supervisor))
    console.print(f"night {business_date}: finished after {played.seconds:.0f} s", highlight=False)
    _show(console, business_date)
    if not played.was_published:
        console.print(
            f"[yellow]未发布：还有来源没有答复 {business_date}。[/]"
            f" No publication yet: some source has not answered for {business_date}."
        )
    for row in night_report.departments(business_date):
        if "late" in row.answers:
            console.print(
                f"[yellow]{row.department} 迟到 late[/]: once it delivers, "
                f"`credit-warehouse nightly {business_date} --source {row.source}` publishes again",
                highlight=False,
            )
    broken = [task for task in played.failed if not _is_verdict_on_data(task, business_date)]
    for task in broken:
        console.print(f"[red]✗ {task.dag_id} · {task.title}[/]: see its log at {running.airflow_url}")
    return not broken


def _show(console: Console, business_date: date) -> None:
    published = night_report.publication(business_date)
    console.print(night_report.table(business_date, night_report.departments(business_date), published))
    if published is None or published.state == "published":
        return
    for finding in night_report.findings(published):
        console.print(f"[red]✗ {finding.expectation}[/] {finding.message}\n  → {finding.next_steps}")
    console.print(
        "[red]候选版本已作废，线上仍是上一版本。[/] The candidate was discarded; readers keep the last publication."
    )


def _is_verdict_on_data(task: FailedTask, business_date: date) -> bool:
    """Whether a red task is the expected answer to data: a source that is late, a candidate that must not go out."""
    if task.task_id == "gate_publication":
        published = night_report.publication(business_date)
        return published is not None and bool(night_report.findings(published))
    if task.dag_id.startswith(airflow_services.INTAKE) and task.task_id.endswith("pull"):
        return night_report.was_unavailable(business_date, task.dag_id.removeprefix(airflow_services.INTAKE))
    return False
