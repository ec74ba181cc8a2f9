"""What passes between the ledger and the protocols."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """What was taken from this feed before. Files: remote path → mark. Windows: where the last one ended."""

    marks: dict[str, str | None] = field(default_factory=dict)
    watermark: str | None = None


@dataclass(frozen=True)
class Arrival:
    """One complete delivery in scratch. ``receipt`` is the sidecar's content where the protocol has one."""

    path: Path
    name: str
    delivery_id: str
    delivered_for: date
    watermark: str | None
    receipt: bytes | None = None
