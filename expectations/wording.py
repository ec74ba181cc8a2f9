"""What every expectation says besides its rule: a stable id, how much it matters, and Chinese words for people."""

from __future__ import annotations

from typing import Any

from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Severity

_GX_SEVERITY = {Severity.BLOCK: "critical", Severity.WARN: "warning"}


def told(
    expectation_id: str,
    description: str,
    next_steps: str,
    *,
    expected: str | None = None,
    severity: Severity = Severity.BLOCK,
    unit: Unit = Unit.ROWS,
    **more: Any,
) -> dict[str, Any]:
    """Keyword arguments for an expectation's constructor.

    ``description`` is the rule as a sentence, ``expected`` its bound (none of the unit, when left out), ``next_steps``
    names who acts (部门 or 本中心).
    ``more`` goes into the meta as it is. Ids are referred to by waivers and reports: they never change.
    """
    return {
        "description": description,
        "notes": next_steps,
        "severity": _GX_SEVERITY[severity],
        "meta": {
            "id": expectation_id,
            "severity": severity.value,
            "description_zh": description,
            "next_steps_zh": next_steps,
            "expected_zh": expected or figure(0, unit),
            "unit": unit.name,
            **more,
        },
    }
