"""One step of a night in a process of its own, as Airflow runs a task; a trap may kill it at its k-th point."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from credit_warehouse.connections import Endpoint
from tests.chaos import killing


@dataclass(frozen=True)
class Step:
    """A verb of the pipeline and what it is about: a feed, a source, a layer of dbt, or nothing."""

    verb: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.what}".strip()


@dataclass(frozen=True)
class Trap:
    """Strikes at the step's ``point``-th point: a round trip to a database, or a file put in its place."""

    point: int
    is_before: bool
    victim: Literal["task", "database"]


@dataclass(frozen=True)
class Conditions:
    """Under what a step's process works. Limits are the kernel's, so that no privilege is needed to meet them."""

    file_bytes: int | None = None
    """No file may grow beyond this: as on a full disk."""
    memory_bytes: int | None = None
    """What it may use beyond what it has at its start."""
    clock_seconds: float = 0.0
    """How far its clock is off."""
    environment: tuple[tuple[str, str], ...] = ()

    def take_effect(self) -> None:
        """In this process, from now on."""
        if "TZ" in dict(self.environment):
            time.tzset()
        if self.clock_seconds:
            right = time.time
            time.time = lambda: right() + self.clock_seconds
        if self.file_bytes is not None:
            _limit(resource.RLIMIT_FSIZE, self.file_bytes)
        if self.memory_bytes is not None:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + self.memory_bytes)


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


@dataclass(frozen=True)
class Order:
    """What a step's process is told."""

    step: Step
    business_date: date
    environment: Mapping[str, str]
    endpoints: Mapping[str, Endpoint]
    feeds: Sequence[str] = ()
    """Feeds of the source the step is about."""
    publication_id: int | None = None
    reason: str = ""
    trap: Trap | None = None
    conditions: Conditions = Conditions()
    data: Path | None = None
    """Data folder of the database, for a trap that kills it."""


@dataclass(frozen=True)
class Done:
    """How a step ended. ``points`` were passed, over ``seconds``."""

    state: Literal["ok", "failed", "killed"]
    value: Any = None
    error: str = ""
    is_database_lost: bool = False
    points: int = 0
    seconds: float = 0.0


class Crew:
    """Starts steps as processes and knows which are at work."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.preloaded", __name__])
        self._lock = threading.Lock()
        self._at_work: dict[Step, int] = {}

    def run(self, order: Order) -> Done:
        """Run the step to its end, whichever it is."""
        ours, theirs = self._context.Pipe(duplex=False)
        started = monotonic()
        process = self._context.Process(target=_work, args=(order, theirs))
        process.start()
        theirs.close()
        assert process.pid is not None
        with self._lock:
            self._at_work[order.step] = process.pid
        try:
            told: Done | None = ours.recv()
        except EOFError:
            told = None
        process.join()
        with self._lock:
            self._at_work.pop(order.step, None)
        seconds = monotonic() - started
        if told is None:
            return Done("killed", seconds=seconds)
        return Done(told.state, told.value, told.error, told.is_database_lost, told.points, seconds)

    def kill(self, step: Step, with_children: bool) -> None:
        """The step's process, if it is at work."""
        with self._lock:
            if pid := self._at_work.get(step):
                (killing.kill_tree if with_children else killing.kill_task)(pid)

    def kill_all(self) -> None:
        """Everything at work, with what it started."""
        with self._lock:
            steps = list(self._at_work)
        for step in steps:
            self.kill(step, with_children=True)


def _work(order: Order, pipe: Pipe) -> None:
    import psycopg
    import sqlalchemy.exc

    from credit_warehouse.settings import get_settings
    from credit_warehouse.transform.run import BuildInterrupted

    lost = (
        BuildInterrupted,
        psycopg.OperationalError,
        psycopg.InterfaceError,
        sqlalchemy.exc.OperationalError,
        sqlalchemy.exc.InterfaceError,
    )
    os.environ.update(order.environment)
    os.environ.update(order.conditions.environment)
    get_settings.cache_clear()
    log = os.open(get_settings().home / "steps.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    order.conditions.take_effect()
    points = _Points(order.trap, order.data)
    points.watch()
    try:
        value = _VERBS[order.step.verb](order)
    except BaseException as error:
        told = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
        pipe.send(Done("failed", error=told, is_database_lost=isinstance(error, lost), points=points.passed))
    else:
        pipe.send(Done("ok", value, points=points.passed))


class _Points:
    """Counts the moments at which dying makes a difference."""

    def __init__(self, trap: Trap | None, data: Path | None) -> None:
        self._trap = trap
        self._data = data
        self.passed = 0

    def watch(self) -> None:
        from psycopg import Connection

        wait = Connection.wait

        def watched(connection: Any, *arguments: Any, **options: Any) -> Any:
            self._strike(is_before=True)
            answer = wait(connection, *arguments, **options)
            self._strike(is_before=False)
            self.passed += 1
            return answer

        Connection.wait = watched  # type: ignore[method-assign]
        sys.addaudithook(self._file_placed)

    def _file_placed(self, event: str, _: tuple[Any, ...]) -> None:
        if event == "os.rename":
            self._strike(is_before=True)
            self.passed += 1

    def _strike(self, is_before: bool) -> None:
        trap = self._trap
        if trap is None or (self.passed, is_before) != (trap.point, trap.is_before):
            return
        self._trap = None
        if trap.victim == "task":
            killing.kill_task(os.getpid())
        elif self._data is not None:
            killing.kill_database(self._data)


def _pull(order: Order) -> Any:
    from credit_warehouse import pipeline

    source = order.step.what.split(".")[0]
    return pipeline.pull(order.step.what, order.business_date, order.endpoints[source], "chaos")


def _load(order: Order) -> Any:
    from credit_warehouse import pipeline

    return pipeline.load_all(order.feeds, order.business_date, "chaos")


def _gate(order: Order) -> Any:
    from credit_warehouse import pipeline

    return pipeline.gate(order.step.what, order.business_date, "chaos")


def _settle(order: Order) -> Any:
    from credit_warehouse import pipeline

    return pipeline.settle(order.step.what, order.business_date, "chaos")


def _feedback(order: Order) -> Any:
    from credit_warehouse import pipeline

    source = order.step.what
    sent = pipeline.return_feedback(source, order.business_date, order.endpoints[source], "chaos")
    return sorted(sent.acknowledged)


def _open_candidate(order: Order) -> Any:
    from credit_warehouse import pipeline

    return pipeline.open_candidate(order.business_date, "chaos")


def _build(order: Order) -> Any:
    from credit_warehouse import pipeline

    pipeline.build(order.step.what, _candidate(order), "chaos")  # type: ignore[arg-type]


def _gate_publication(order: Order) -> Any:
    from credit_warehouse import pipeline

    pipeline.gate_publication(_candidate(order), "chaos")


def _publish(order: Order) -> Any:
    from credit_warehouse import pipeline

    pipeline.publish(_candidate(order), "chaos")


def _discard(order: Order) -> Any:
    from credit_warehouse import pipeline

    pipeline.discard(_candidate(order), order.reason, "chaos")


def _propose_matches(order: Order) -> Any:
    from credit_warehouse import pipeline

    pipeline.propose_matches(order.business_date, "chaos")


def _candidate(order: Order) -> int:
    assert order.publication_id is not None
    return order.publication_id


_VERBS: dict[str, Callable[[Order], Any]] = {
    "pull": _pull,
    "load": _load,
    "gate": _gate,
    "settle": _settle,
    "feedback": _feedback,
    "open_candidate": _open_candidate,
    "build": _build,
    "gate_publication": _gate_publication,
    "publish": _publish,
    "discard": _discard,
    "propose_matches": _propose_matches,
}
