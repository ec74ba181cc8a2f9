"""Housekeeping removes what is old and nobody's, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credit_warehouse.housekeeping import Swept, sweep
from credit_warehouse.settings import Settings

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    _age(path, days)
    return path


def _age(path: Path, days: float) -> None:
    then = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def test_old_scratch_and_logs_go_and_evidence_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    logs = tmp_path / "logs" / "airflow"
    left_over = aged(settings.scratch_dir / "batch-7-x" / "intake.duckdb", 3).parent
    _age(left_over, 3)
    in_use = aged(settings.scratch_dir / "batch-8-x" / "intake.duckdb", 0.1).parent
    _age(in_use, 0.1)
    old_log = aged(logs / "dag_id=intake_tax" / "attempt=1.log", 201)
    kept_log = aged(logs / "dag_id=intake_tax" / "attempt=2.log", 199)
    landed = aged(settings.landing_dir / "tax.tax_arrears" / "20200101" / "items.jsonl", 2000)
    assert sweep(settings, logs, NOW) == Swept(scratch=1, logs=1)
    assert not left_over.exists() and not old_log.exists()
    assert in_use.exists() and kept_log.exists() and landed.exists()
    assert sweep(settings, logs, NOW) == Swept(scratch=0, logs=0)
