"""dbt inside the test process: a call costs a second instead of five, and is otherwise what transform.run does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from credit_warehouse.transform.dbt_process import keep_sessions
from credit_warehouse.transform.run import environment

keep_sessions()


class DbtFailed(AssertionError):
    """What dbt said about the nodes that failed."""


def dbt(
    patch: pytest.MonkeyPatch, project: Path, publication_id: int, night: date, *arguments: str
) -> dict[str, str]:
    """Run dbt for a candidate; status per node name.

    Raises:
        DbtFailed: dbt or one of its nodes failed.
    """
    with patch.context() as context:
        for name, value in environment(publication_id, night).items():
            context.setenv(name, value)
        context.setenv("DBT_PROJECT_DIR", str(project))
        result = dbtRunner().invoke(["--quiet", *arguments])
    results = getattr(result.result, "results", [])
    if not result.success:
        failed = [entry.message for entry in results if entry.status in ("error", "fail")]
        raise DbtFailed(str(result.exception or failed))
    return {entry.node.name: str(entry.status) for entry in results}
