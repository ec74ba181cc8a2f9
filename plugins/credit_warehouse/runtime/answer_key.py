"""What the simulator says a night must give, against what the ledger says it gave."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit_warehouse.runtime.night_report import DepartmentNight


@dataclass
class Rows:
    """Rows of one department and night, in its answer key; delivered = accepted + rejected."""

    delivered: int = 0
    accepted: int = 0
    rejected: int = 0


def expected(simulator_home: Path, business_date: date) -> dict[str, Rows]:
    """Source → rows. Raises FileNotFoundError for a night that the simulator has not generated."""
    file = simulator_home / "answer_keys" / business_date.isoformat() / "answer_key.json"
    found: dict[str, Rows] = {}
    for feed, night in json.loads(file.read_text(encoding="utf-8"))["feeds"].items():
        rows = found.setdefault(feed.split(".")[0], Rows())
        rows.delivered += night["delivered"]
        rows.accepted += night["accepted"]
        rows.rejected += night["quarantined"]
    return found


def differences(key: dict[str, Rows], departments: list[DepartmentNight]) -> list[str]:
    """One sentence per number that is not as in the key; none when the night is right."""
    found = {row.source: Rows(row.delivered, row.accepted, row.rejected) for row in departments}
    return [
        f"{source}: {name} is {getattr(found.get(source, Rows()), name):,}, "
        f"the answer key says {getattr(rows, name):,}"
        for source, rows in sorted(key.items())
        for name in ("delivered", "accepted", "rejected")
        if getattr(found.get(source, Rows()), name) != getattr(rows, name)
    ]
