"""A night without Airflow: the verbs its tasks call, in the DAGs' order, each in a process of its own, tried again as
Airflow tries again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import groupby
from typing import Any

from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import load_contracts
from tests.chaos.work import Conditions, Crew, Done, Order, Step, Trap
from tests.chaos.world import World

TRIES = 3
"""The first and two more, as ``STEP`` in operators/nights.py has it."""

ALL_FEEDS = {
    source: [contract.feed for contract in contracts]
    for source, contracts in groupby(load_contracts().values(), key=lambda contract: contract.source)
}
FEEDS = {
    "court": ["court.debtor_change", "court.dishonest_judgment_debtor"],
    "data_administration": ["data_administration.population_register"],
    "market_regulation": [
        "market_regulation.administrative_penalty",
        "market_regulation.penalty_change",
        "market_regulation.serious_violation_list",
    ],
    "social_security": ["social_security.wage_arrears_list", "social_security.wage_list_change"],
    "tax": ["tax.major_tax_violation", "tax.violation_change"],
}
"""What a disturbed night takes in: of every protocol and format, with records, changes to them and a register. The others
answer late; four times as many feeds teach nothing more and cost four times as much."""


class StepFailed(Exception):
    """A step failed after its last try; the message is what its process said."""


class SchedulerDied(Exception):
    """Nothing more is started this time; the night is run again from its beginning."""


class Night:
    """One run of a night. ``ended`` holds every try of every step in the order they ended."""

    def __init__(
        self,
        world: World,
        business_date: date,
        endpoints: dict[str, Endpoint],
        crew: Crew,
        feeds: dict[str, list[str]] = FEEDS,
        on_start: Callable[[Step], None] = lambda step: None,
        traps: dict[Step, Trap] | None = None,
        publishes: bool = True,
        conditions: dict[str, Conditions] | None = None,
    ) -> None:
        self._world = world
        self._business_date = business_date
        self._endpoints = endpoints
        self._crew = crew
        self._feeds = feeds
        self._on_start = on_start
        self._traps = dict(traps or {})
        self._publishes = publishes
        self._conditions = conditions or {}
        self._scheduler_died = threading.Event()
        self.ended: list[tuple[Step, Done]] = []

    def play(self) -> None:
        """Intake of every source, two side by side; publication; feedback. A failed step does what the DAG does then.

        Raises:
            SchedulerDied: it was killed on the way.
        """
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._intake, self._feeds))
        if self._publishes:
            self._publication()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda source: self._tolerate(Step("feedback", source)), self._feeds))

    def kill_scheduler(self) -> None:
        """The scheduler and every task it runs are gone."""
        self._scheduler_died.set()
        self._crew.kill_all()

    def _intake(self, source: str) -> None:
        for feed in self._feeds[source]:
            self._tolerate(Step("pull", feed))
        for verb in ("load", "gate", "settle"):
            self._tolerate(Step(verb, source))

    def _publication(self) -> None:
        try:
            candidate = self._try(Step("open_candidate"))
        except StepFailed:
            return
        if candidate is None:
            return
        try:
            for step in (
                Step("build", "core"),
                Step("build", "marts"),
                Step("gate_publication"),
                Step("publish"),
            ):
                self._try(step, candidate)
        except StepFailed as failure:
            self._tolerate(Step("discard"), candidate, str(failure))
        else:
            self._tolerate(Step("propose_matches"))

    def _tolerate(self, step: Step, candidate: int | None = None, reason: str = "") -> None:
        try:
            self._try(step, candidate, reason)
        except StepFailed:
            return  # what follows runs all the same, as the DAG says

    def _try(self, step: Step, candidate: int | None = None, reason: str = "") -> Any:
        """The step's answer.

        Raises:
            StepFailed: for good.
            SchedulerDied: nobody is there to try.
        """
        for number in range(1, TRIES + 1):
            if self._scheduler_died.is_set():
                raise SchedulerDied
            self._on_start(step)
            done = self._crew.run(
                Order(
                    step,
                    self._business_date,
                    self._world.environment,
                    self._endpoints,
                    self._feeds.get(step.what, []),
                    candidate,
                    reason,
                    self._traps.pop(step, None),
                    self._conditions.get(step.verb, Conditions()),
                    self._world.server.data,
                )
            )
            self.ended.append((step, done))
            if done.state == "ok":
                return done.value
            may_retry = done.state == "killed" or done.is_database_lost or step.verb == "pull"
            if not may_retry or number == TRIES:
                break
            self._world.revive()
        if self._scheduler_died.is_set():
            raise SchedulerDied
        raise StepFailed(f"{step}: {done.error or done.state}")
