"""The DAG files as Airflow's DAG processor sees them, in a process and an AIRFLOW_HOME of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from credit_warehouse.settings import PROJECT_DIR

CRONS = {"CREDIT_NIGHTLY_SCHEDULE": "0 1 * * *", "CREDIT_PUBLICATION_DEADLINE": "0 6 * * *"}


def run_with_airflow(script: str, home: Path, **variables: str) -> Any:
    """What ``script`` prints as JSON on its last line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_DIR / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_DIR / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CREDIT_HOME": str(home / "home"),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, cwd=home
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


DESCRIBE = """
import json
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

bag = DagBag()
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {
        dag.dag_id: {
            "serialized": bool(DagSerialization.to_dict(dag)),
            "schedule": type(dag.timetable).__name__ if hasattr(dag, "timetable") else type(dag.schedule).__name__,
            "display_name": dag.dag_display_name,
            "doc": dag.doc_md,
            "tags": sorted(dag.tags),
            "max_active_runs": dag.max_active_runs,
            "paused": dag.is_paused_upon_creation,
            "catchup": dag.catchup,
            "tasks": {
                task.task_id: {
                    "display_name": task.task_display_name,
                    "doc": task.doc_md,
                    "owner": task.owner,
                    "retries": task.retries,
                    "backoff": task.retry_exponential_backoff,
                    "retry_default": task.retry_policy.default.value if task.retry_policy else None,
                    "trigger_rule": task.trigger_rule,
                    "upstream": sorted(task.upstream_task_ids),
                    "timeout": bool(task.execution_timeout),
                    "outlets": [asset.uri for asset in task.outlets],
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    },
}))
"""


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAG bag with its import errors, under the crons of a server."""
    found: dict[str, Any] = run_with_airflow(DESCRIBE, tmp_path_factory.mktemp("dags"), **CRONS)
    return found


@pytest.fixture(scope="session")
def dags(parsed: dict[str, Any]) -> dict[str, Any]:
    """DAG id → what the UI and the scheduler will know of it."""
    found: dict[str, Any] = parsed["dags"]
    return found
