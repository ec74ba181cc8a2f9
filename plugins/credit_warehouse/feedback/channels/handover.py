"""What comes of handing a package over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Handover:
    """The department has it at ``location``; ``receipt_no`` is none until its system has acknowledged it."""

    location: str
    receipt_no: str | None


class FeedbackRefused(Exception):
    """The department's system answers and does not take the package; the message says what it says."""
