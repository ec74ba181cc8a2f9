"""The simulator inside a test process, on free ports."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from simulator import answer_key
from simulator import config as configuration
from simulator.answer_key import NightKey
from simulator.client import Client
from simulator.config import Config
from simulator.departments import SERVED, Departments
from simulator.office import Office
from simulator.platform import Platform


@dataclass
class RunningSimulator:
    """A simulator that serves from a thread of this process."""

    home: Path
    config: Config
    client: Client
    office: Office
    platform: Platform

    def advance(self, through: date) -> NightKey:
        """Generate the nights up to ``through``; the key of that night."""
        self.client.advance(through)
        return self.key(through)

    def key(self, day: date) -> NightKey:
        return answer_key.load_night(self.home, day)


@contextmanager
def running(
    home: Path,
    *,
    exchange_url: str | None = None,
    sources: tuple[str, ...] = SERVED,
    config: dict[str, Any] | None = None,
) -> Iterator[RunningSimulator]:
    """Start the departments, stop them at the end. The same ``home`` may be started again and carries on.

    Args:
        exchange_url: admin URL of a database social security may use; without it that department is left out.
        config: what ``simulator.json`` is to say other than the defaults, e.g. ``{"enterprises": 300}`` or
            ``{"tax": {"token_seconds": 1, "busy_share": 0}}``; ignored if ``home`` already has one.
    """
    settings = configuration.ensure(home, **(config or {}))
    departments = Departments(home, settings, exchange_url, sources)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()

    def wait(coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=120)

    try:
        wait(departments.start())
        yield RunningSimulator(home, settings, Client.of(home), departments.office, departments.platform)
    finally:
        wait(departments.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
