"""The few calls of Airflow's REST API that we need. An `airflow` command would cost six seconds each."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

FINISHED = frozenset({"success", "failed"})


class AirflowApiError(RuntimeError):
    """Airflow refused a call; the message carries its answer."""


@dataclass(frozen=True)
class Run:
    """One DAG run."""

    dag_id: str
    run_id: str
    state: str
    partition_key: str | None
    queued_at: str

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True)
class TaskInstance:
    """One task of a run. The label is for people."""

    task_id: str
    label: str
    state: str | None
    try_number: int


class AirflowApi:
    """A client that logs in once and again when its token has expired."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._credentials = {"username": user, "password": password}
        self._token: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def dags(self) -> dict[str, bool]:
        """Known DAGs and whether each is paused."""
        listed = self._get("/api/v2/dags", limit=100)["dags"]
        return {dag["dag_id"]: dag["is_paused"] for dag in listed}

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def import_errors(self) -> dict[str, str]:
        """File name → traceback, of DAG files that do not import."""
        listed = self._get("/api/v2/importErrors", limit=100)["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in listed}

    def trigger(self, dag_id: str, partition_key: str, conf: Mapping[str, Any] | None = None) -> Run:
        """Start a run for a business date (its asset partition key)."""
        body = {"logical_date": None, "partition_key": partition_key, "conf": dict(conf or {})}
        return _run(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def run(self, dag_id: str, run_id: str) -> Run:
        return _run(self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str, partition_key: str) -> list[Run]:
        """Runs of a DAG for a business date, newest first."""
        listed = self._get(
            f"/api/v2/dags/{dag_id}/dagRuns",
            order_by="-run_after",
            limit=50,
            partition_key_pattern=partition_key,
        )
        return [run for run in map(_run, listed["dag_runs"]) if run.partition_key == partition_key]

    def tasks(self, run: Run) -> list[TaskInstance]:
        listed = self._get(f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", limit=100)
        return [
            TaskInstance(
                item["task_id"],
                item["task_display_name"],
                item["state"],
                item["try_number"],
            )
            for item in listed["task_instances"]
        ]

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._call("GET", path, params=parameters)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        response = self._authorised(method, path, **options)
        if response.status_code == 401:
            self._token = None
            response = self._authorised(method, path, **options)
        if response.is_error:
            raise AirflowApiError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def _authorised(self, method: str, path: str, **options: Any) -> httpx.Response:
        if self._token is None:
            self._token = self._log_in()
        headers = {"Authorization": f"Bearer {self._token}"}
        for attempt in (1, 2, 3):
            try:
                return self._client.request(method, path, headers=headers, **options)
            except httpx.TransportError:
                # A busy server drops a connection now and then; only reading may be repeated.
                if method != "GET" or attempt == 3:
                    raise
                time.sleep(attempt)
        raise AssertionError("unreachable")

    def _log_in(self) -> str:
        response = self._client.post("/auth/token", json=self._credentials)
        if response.is_error:
            raise AirflowApiError(f"login to Airflow failed: {response.status_code} {response.text}")
        return str(response.json()["access_token"])


def _run(item: Mapping[str, Any]) -> Run:
    return Run(
        item["dag_id"],
        item["dag_run_id"],
        item["state"],
        item.get("partition_key"),
        item.get("queued_at") or "",
    )
