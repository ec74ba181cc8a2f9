"""One night on the running system: Airflow takes in what the departments delivered and publishes; we watch."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from rich.console import Console

from credit_warehouse.runtime.airflow_api import AirflowApi, Run
from credit_warehouse.runtime.airflow_services import PUBLICATION
from credit_warehouse.runtime.board import Board

# How long the last answer of a night may take to start its publication; the scheduler needs a second or two.
SIGNAL_SECONDS = 90
NIGHT_SECONDS = 3600


@dataclass(frozen=True)
class FailedTask:
    """A task that ended red; `title` is what the UI calls it."""

    dag_id: str
    task_id: str
    title: str


@dataclass(frozen=True)
class Night:
    """A night's finished runs, intakes first; no publication run means that some source has not answered yet."""

    runs: list[Run]
    failed: list[FailedTask]
    seconds: float

    @property
    def was_published(self) -> bool:
        return any(run.dag_id == PUBLICATION for run in self.runs)


def play(
    api: AirflowApi,
    intake_dags: Iterable[str],
    business_date: date,
    console: Console,
    alive: Callable[[], None],
) -> Night:
    """Trigger the intakes of `business_date` and follow them and the publication they lead to.

    `alive` raises when a process of ours has ended. Raises TimeoutError after an hour.
    """
    key = business_date.isoformat()
    started = time.monotonic()
    earlier = {run.run_id for run in api.runs(PUBLICATION, key)}
    runs = {run.run_id + run.dag_id: run for run in (api.trigger(dag_id, key) for dag_id in intake_dags)}
    answered_at: float | None = None
    with Board(console) as board:
        while True:
            for name, run in runs.items():
                if not run.finished:
                    newest = runs[name] = api.run(run.dag_id, run.run_id)
                    board.show(newest, api.tasks(newest))
            for run in api.runs(PUBLICATION, key):
                if run.run_id not in earlier:
                    runs.setdefault(run.run_id + run.dag_id, run)
            now = time.monotonic()
            if all(run.finished for run in runs.values()):
                answered_at = answered_at or now
                published = any(run.dag_id == PUBLICATION for run in runs.values())
                if published or now - answered_at > SIGNAL_SECONDS:
                    break
            alive()
            if now - started > NIGHT_SECONDS:
                waiting = [run.dag_id for run in runs.values() if not run.finished]
                raise TimeoutError(f"not finished after an hour: {', '.join(waiting)}")
            time.sleep(1.0)
    failed = [
        FailedTask(run.dag_id, task.task_id, task.label)
        for run in runs.values()
        for task in api.tasks(run)
        if task.state == "failed"
    ]
    return Night(list(runs.values()), failed, time.monotonic() - started)
