"""Loading Great Expectations, and reading its answers without it."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

from credit_warehouse.quality.findings import State


def load() -> None:
    """Import the library, once a process: 2.9 s of CPU; 3.4 s if the garbage collector ran meanwhile, 10 s without
    compiled bytecode."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        import great_expectations  # noqa: F401
    finally:
        if collecting:
            gc.enable()


def state_of(answer: Any) -> State:
    """What the library says of one expectation."""
    if error_of(answer):
        return State.ERROR
    return State.PASSED if answer.success else State.FAILED


def error_of(answer: Any) -> str | None:
    """The first line of what went wrong in evaluating one expectation; none when it could be judged."""
    info = answer.exception_info or {}
    for entry in (info, *(value for value in info.values() if isinstance(value, Mapping))):
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown error").splitlines()[0]
    return None
