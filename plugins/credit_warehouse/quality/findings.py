"""What a gate found, in the words of the office. Imports nothing heavy: DAGs and the command line read these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

EXAMPLES_KEPT = 5
"""A gate shows where to look, it is not an extract."""


class Severity(StrEnum):
    """``block`` stops the batch or the publication, ``warn`` is only told."""

    BLOCK = "block"
    WARN = "warn"


class State(StrEnum):
    """``waived`` failed and is let through; ``error`` could not be judged, which counts as a failure."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One expectation on one batch or one candidate publication.

    ``message`` says where, what was expected and what was seen; ``next_steps`` who does what. ``examples`` hold keys
    only, never a name or an identifier of a person.
    """

    expectation_id: str
    severity: Severity
    state: State
    message: str
    next_steps: str
    expected: str
    observed: str | None = None
    feed: str | None = None
    failing_rows: int | None = None
    examples: tuple[dict[str, Any], ...] = ()
    is_waivable: bool = True
    waiver_id: int | None = None
    waiver: str | None = None

    @property
    def blocks(self) -> bool:
        return self.severity is Severity.BLOCK and self.state in (State.FAILED, State.ERROR)

    def waived(self, waiver_id: int, terms: str) -> Finding:
        """The same finding, let through; ``terms`` = why, by whom, until when."""
        return replace(self, state=State.WAIVED, waiver_id=waiver_id, waiver=terms)


class _Judged:
    """What the findings of either gate come to."""

    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def passed(self) -> bool:
        return not self.blocking


@dataclass(frozen=True)
class GateOutcome(_Judged):
    """Gate 1 on one batch."""

    batch_id: int
    feed: str
    findings: tuple[Finding, ...]
    docs_path: str

    @property
    def message(self) -> str:
        """For the department's clerk: what failed and what to do; of a batch that passed, what was noticed."""
        if self.passed:
            noticed = [f.message for f in self.findings if f.state is not State.PASSED]
            return "；".join(["入库检查通过", *noticed])
        return "\n".join(f"{f.message}。{f.next_steps}" for f in self.blocking)


@dataclass(frozen=True)
class GateReport(_Judged):
    """Gate 2 on one candidate publication."""

    publication_id: int
    business_date: date
    findings: tuple[Finding, ...]
    docs_path: str

    @property
    def message(self) -> str:
        """For the office: what failed, on what, how many rows, what to do."""
        counts = {state: sum(f.state is state for f in self.findings) for state in State}
        if self.passed:
            told = sum(f.state is State.FAILED for f in self.findings)
            return (
                f"发布批次 {self.publication_id} 通过发布检查：{counts[State.PASSED]} 项合格，"
                f"{told} 项提醒，{counts[State.WAIVED]} 项豁免"
            )
        lines = "\n".join(
            f"{number}. [{f.expectation_id}] {f.message}。{f.next_steps}"
            for number, f in enumerate(self.blocking, start=1)
        )
        return (
            f"发布批次 {self.publication_id} 未通过发布检查（{len(self.blocking)} 项），"
            f"线上仍为上一次发布的数据。\n{lines}"
        )


class GateFailed(Exception):
    """The candidate must not be published; the last publication stays. ``report`` has every finding."""

    def __init__(self, report: GateReport) -> None:
        super().__init__(report.message)
        self.report = report
