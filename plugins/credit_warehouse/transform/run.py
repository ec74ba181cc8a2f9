"""Running one layer of the dbt project for a candidate publication."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from psycopg.conninfo import conninfo_to_dict

from credit_warehouse.database import connect, database_url
from credit_warehouse.settings import get_settings
from credit_warehouse.transform.child import end_with_parent
from credit_warehouse.troubles import Trouble, trouble_in

DBT = (sys.executable, "-m", "credit_warehouse.transform.dbt_process")
"""What runs dbt; by name, because importing dbt takes longer than most of what imports this."""

Layer = Literal["core", "marts"]

SELECTION: dict[Layer, str] = {"core": "staging core vault announced_day", "marts": "marts audit"}
FAILURES = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test."""

    unique_id: str
    resource_type: str
    status: str
    message: str | None
    failures: int | None
    rows_affected: int | None
    execution_seconds: float
    next_steps: str | None

    @property
    def name(self) -> str:
        return self.unique_id.split(".")[2]


@dataclass(frozen=True)
class BuildResult:
    """One call of ``dbt build``. ``seconds`` is the whole call, starting Python included."""

    layer: Layer
    publication_id: int
    results: tuple[NodeResult, ...]
    seconds: float

    @property
    def nodes(self) -> int:
        return len(self.results)

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.results if node.status in FAILURES)


class BuildFailed(RuntimeError):
    """A model or a test of the layer failed; the message names each, with what dbt says and what to do."""

    def __init__(self, layer: Layer, message: str, result: BuildResult | None = None) -> None:
        super().__init__(f"dbt build of layer {layer} failed:\n{message}")
        self.result = result


class BuildInterrupted(BuildFailed):
    """The machine or the database gave way, not a model: worth another try once ``trouble`` is gone."""

    def __init__(self, layer: Layer, message: str, result: BuildResult | None, trouble: Trouble) -> None:
        super().__init__(layer, message, result)
        self.trouble = trouble


def dbt_build(
    layer: Layer, publication_id: int, business_date: date, full_refresh: bool = False
) -> BuildResult:
    """Build and test one layer for an open candidate, and record every node in ``ops.dbt_result``.

    The whole process reads the marts as of the candidate. Repeating a call gives the same marts: core is a pure
    function of accepted rows, and a mart first undoes the candidate's earlier attempt.

    Raises:
        BuildFailed: a model or a test failed (its nodes are recorded all the same), or dbt could not start.
        BuildInterrupted: the database went away, or memory, disk or a time limit ran out.
    """
    settings = get_settings()
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    run_results = settings.dbt_target_dir / "run_results.json"
    run_results.unlink(missing_ok=True)
    command = [*DBT, "build", "--select", *SELECTION[layer].split()]
    # Unit tests belong to the project's own tests: they say nothing about a night's data.
    command += ["--exclude-resource-type", "unit_test"]
    command += ["--full-refresh"] if full_refresh else []
    started = monotonic()
    completed = subprocess.run(
        command,
        env=environment(publication_id, business_date),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=end_with_parent,
    )
    if not run_results.exists():
        raise _failure(layer, _tail(completed.stdout + completed.stderr))
    result = _read(run_results, layer, publication_id, monotonic() - started)
    failure = None
    if result.failed:
        failure = _failure(layer, "\n".join(_sentence(node) for node in result.failed), result)
    elif completed.returncode != 0:
        failure = _failure(layer, _tail(completed.stdout + completed.stderr), result)
    if isinstance(failure, BuildInterrupted):
        raise failure  # there may be nothing to record it in
    _record(result)
    if failure:
        raise failure
    return result


def _failure(layer: Layer, message: str, result: BuildResult | None = None) -> BuildFailed:
    trouble = trouble_in(message)
    return (
        BuildInterrupted(layer, message, result, trouble) if trouble else BuildFailed(layer, message, result)
    )


def environment(publication_id: int, business_date: date) -> dict[str, str]:
    """Environment of a dbt process that builds the candidate: where the warehouse is, which night, which publication."""
    settings = get_settings()
    server = conninfo_to_dict(database_url())
    return os.environ | {
        "CREDIT_PG_HOST": str(server.get("host", "127.0.0.1")),
        "CREDIT_PG_PORT": str(server.get("port", "5432")),
        "CREDIT_PG_USER": str(server.get("user", "")),
        "CREDIT_PG_PASSWORD": str(server.get("password", "")),
        "CREDIT_PG_DBNAME": str(server.get("dbname", "")),
        "CREDIT_PUBLICATION_ID": str(publication_id),
        "CREDIT_BUSINESS_DATE": business_date.isoformat(),
        # Every connection of the process, whatever opens it, sees the candidate.
        "PGOPTIONS": f"-c credit.publication={publication_id} -c lock_timeout={settings.lock_timeout_seconds}s",
        "DBT_PROJECT_DIR": str(settings.dbt_project_dir),
        "DBT_PROFILES_DIR": str(settings.dbt_project_dir),
        "DBT_TARGET_PATH": str(settings.dbt_target_dir),
        "DBT_LOG_PATH": str(settings.dbt_target_dir),
        # What models ran is in the target folder; every statement once more in the log is a twentieth of dbt's time.
        "DBT_LOG_LEVEL_FILE": "info",
        "DBT_VERSION_CHECK": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONUTF8": "1",
    }


def _read(path: Path, layer: Layer, publication_id: int, seconds: float) -> BuildResult:
    content = json.loads(path.read_text("utf-8"))
    manifest = json.loads((path.parent / "manifest.json").read_text("utf-8"))
    results = tuple(
        _node(entry, manifest["nodes"].get(entry["unique_id"], {})) for entry in content["results"]
    )
    return BuildResult(layer, publication_id, results, seconds)


def _node(entry: dict[str, Any], manifest_node: dict[str, Any]) -> NodeResult:
    return NodeResult(
        unique_id=entry["unique_id"],
        resource_type=entry["unique_id"].split(".", 1)[0],
        status=entry["status"],
        message=entry["message"],
        failures=entry["failures"],
        rows_affected=entry["adapter_response"].get("rows_affected"),
        execution_seconds=entry["execution_time"],
        next_steps=manifest_node.get("config", {}).get("meta", {}).get("next_steps"),
    )


def _record(result: BuildResult) -> None:
    rows = [
        (
            result.publication_id,
            result.layer,
            node.unique_id,
            node.resource_type,
            node.status,
            node.message,
            node.failures,
            node.rows_affected,
            node.execution_seconds,
        )
        for node in result.results
    ]
    with connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.dbt_result (publication_id, layer, unique_id, resource_type, status, message, failures,"
            " rows_affected, execution_seconds) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _sentence(node: NodeResult) -> str:
    text = f"- {node.resource_type} {node.name}: {' '.join((node.message or node.status).split())}"
    return f"{text}. Next: {node.next_steps}" if node.next_steps else text


def _tail(output: str, lines: int = 20) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])
