"""Removing what nobody needs any more. Landed files, the ledger and quarantine are evidence and never touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from credit_warehouse.settings import Settings

SCRATCH_AGE = timedelta(days=2)
"""No task runs longer than hours: what lies in scratch longer was left by a killed process."""


@dataclass(frozen=True)
class Swept:
    """How many scratch folders and log files were removed."""

    scratch: int
    logs: int


def sweep(settings: Settings, log_dir: Path, now: datetime) -> Swept:
    """Remove left-over scratch, and task logs older than ``settings.log_keep_days``. ``now`` is wall-clock time: the
    age of a file is no business time."""
    scratch = _older(settings.scratch_dir.glob("*"), now - SCRATCH_AGE)
    for path in scratch:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    logs = _older(
        (path for path in log_dir.rglob("*") if path.is_file()), now - timedelta(days=settings.log_keep_days)
    )
    for path in logs:
        path.unlink()
    return Swept(len(scratch), len(logs))


def _older(paths: Iterable[Path], limit: datetime) -> list[Path]:
    return [path for path in paths if path.stat().st_mtime < limit.timestamp()]
