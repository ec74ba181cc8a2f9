"""A real Airflow of one's own: scheduler, executor, API server and DAG processor, on the project's DAG files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_warehouse.runtime import airflow_services, environment, ports
from credit_warehouse.runtime.airflow_api import AirflowApi, Run
from credit_warehouse.runtime.processes import Supervisor

SECONDS = 120


@dataclass(frozen=True)
class Airflow:
    """Airflow, and the folder its stand-in verbs write to."""

    api: AirflowApi
    home: Path
    logs: Path

    def trigger(self, *dag_ids: str, date: str) -> dict[str, Run]:
        """Start the DAGs for a business date and wait for their end, by DAG id."""
        runs = [self.api.trigger(dag_id, date) for dag_id in dag_ids]
        return {run.dag_id: self.finished(run) for run in runs}

    def finished(self, run: Run) -> Run:
        self.wait(lambda: self.api.run(run.dag_id, run.run_id).finished, f"the end of {run.dag_id}")
        return self.api.run(run.dag_id, run.run_id)

    def publications(self, date: str, at_least: int = 1) -> list[Run]:
        """The finished publication runs of a business date, oldest first."""
        return self.runs("publication", date, at_least)

    def runs(self, dag_id: str, date: str, at_least: int = 1) -> list[Run]:
        """The finished runs of a DAG and business date, oldest first, once there are that many and none is running."""

        def quiet() -> bool:
            runs = self.api.runs(dag_id, date)
            return len(runs) >= at_least and all(run.finished for run in runs)

        self.wait(quiet, f"{at_least} run(s) of {dag_id} for {date}")
        return self.api.runs(dag_id, date)[::-1]

    def states(self, run: Run) -> dict[str, str | None]:
        """Task id → state."""
        return {task.task_id: task.state for task in self.api.tasks(run)}

    def calls(self, run: Run, verb: str) -> list[dict[str, Any]]:
        """What the tasks of a run called, in order."""
        noted = self.home / "calls"
        lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
        found = [json.loads(line) for line in lines]
        return [call for call in found if call["run_id"] == run.run_id and call["verb"] == verb]

    def log(self, run: Run, task_id: str) -> str:
        """Everything the tries of a task wrote."""
        folder = self.logs / f"dag_id={run.dag_id}" / f"run_id={run.run_id}" / f"task_id={task_id}"
        events = [line for file in sorted(folder.rglob("*.log")) for line in file.read_text().splitlines()]
        return "\n".join(json.dumps(json.loads(event), ensure_ascii=False) for event in events)

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Ask the stand-ins for a failure (see ``stand_ins/pipeline.py``)."""
        wish = self.home / "fail" / what
        wish.touch()
        try:
            yield
        finally:
            wish.unlink(missing_ok=True)

    @staticmethod
    def wait(condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {SECONDS} s for {what}")
            time.sleep(0.5)


@contextmanager
def running(home: Path) -> Iterator[Airflow]:
    """Start it below ``home`` and stop it again; settings come from the process environment, as for ``make up``."""
    settings = environment.prepare(home, {"CREDIT_AIRFLOW_PORT": str(ports.reserve())})
    stand_ins = home / "stand_ins"
    (stand_ins / "fail").mkdir(parents=True)
    path = f"{Path(__file__).with_name('stand_ins')}:{settings.for_process()['PYTHONPATH']}"
    variables = {**settings.for_process(), "PYTHONPATH": path, "STAND_IN": str(stand_ins)}
    supervisor = Supervisor(home)
    airflow_services.migrate_metadata(settings)
    try:
        for component in airflow_services.components():
            supervisor.start(component, variables)
        airflow_services.wait_until_serving(settings, supervisor)
        user, password = settings["CREDIT_AIRFLOW_USER"], settings["CREDIT_AIRFLOW_PASSWORD"]
        with AirflowApi(settings.airflow_url, user, password) as api:
            airflow_services.wait_until_dags_loaded(api, airflow_services.dag_ids(), supervisor)
            yield Airflow(api, stand_ins, Path(settings["AIRFLOW__LOGGING__BASE_LOG_FOLDER"]))
    finally:
        supervisor.stop(airflow_services.NAMES)
