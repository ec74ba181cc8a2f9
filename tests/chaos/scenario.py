"""One seed, one disturbed night: what strikes is drawn, the night is played, resumed and judged."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from tests.chaos import killing, oracle
from tests.chaos.night import FEEDS, Night, SchedulerDied
from tests.chaos.oracle import Truth
from tests.chaos.proxy import Proxy, WireFault
from tests.chaos.reader import Reader
from tests.chaos.work import Crew, Done, Step, Trap
from tests.chaos.world import NIGHT, SFTP_SOURCES, World

INTAKE = ("pull", "load", "gate", "settle", "feedback")

Victim = Literal["task", "task and children", "scheduler", "database", "departments"]
Lapse = Literal[
    "absent", "truncated", "uploaded twice", "down", "page_repeated", "page_changed", "token_expiry"
]


@dataclass(frozen=True)
class Stroke:
    """SIGKILL during a step: at its ``point`` (before or after it), or after a fraction of its usual time."""

    step: Step
    victim: Victim
    point: int | None = None
    is_before: bool = True
    fraction: float = 0.0

    def __str__(self) -> str:
        at = (
            f"at {self.fraction:.0%}"
            if self.point is None
            else f"{'before' if self.is_before else 'after'} point {self.point}"
        )
        return f"kill {self.victim} in [{self.step}] {at}"


@dataclass(frozen=True)
class Scenario:
    """What strikes the first run of the night; the second run is left alone."""

    seed: int
    strokes: tuple[Stroke, ...] = ()
    wires: tuple[tuple[str, WireFault], ...] = ()
    lapses: tuple[tuple[str, Lapse], ...] = ()
    publishes: bool = True
    """Whether the night is a whole one; without, it ends with the intake and costs a fourth."""

    def __str__(self) -> str:
        wires = (f"{fault.kind} {source} after {fault.after_bytes} B" for source, fault in self.wires)
        lapses = (f"{source} {lapse}" for source, lapse in self.lapses)
        return "; ".join([*map(str, self.strokes), *wires, *lapses])


@dataclass(frozen=True)
class Usual:
    """An undisturbed night: what it leaves, and points and seconds of each step."""

    truth: Truth
    taken_in: Truth
    """The same after the intake alone."""
    steps: dict[Step, Done]


@dataclass(frozen=True)
class Verdict:
    """How a scenario went. ``struck``: tries that did not end well in the disturbed run."""

    scenario: Scenario
    violations: list[str]
    struck: list[str]
    looks: int
    seconds: float


def draw(seed: int, usual: Usual, publishes: bool = True) -> Scenario:
    """The scenario of a seed: one fault, with every third seed two."""
    chance = random.Random(seed)
    strokes: list[Stroke] = []
    wires: list[tuple[str, WireFault]] = []
    lapses: list[tuple[str, Lapse]] = []
    for _ in range(2 if seed % 3 == 0 else 1):
        kind = chance.choices(["stroke", "wire", "lapse"], [70, 15, 15])[0]
        if kind == "stroke":
            strokes.append(_stroke(chance, usual, publishes))
        elif kind == "wire":
            wires.append(_wire(chance))
        else:
            lapses.append(_lapse(chance))
    return Scenario(seed, tuple(strokes), tuple(wires), tuple(lapses), publishes)


def play(world: World, crew: Crew, proxies: dict[str, Proxy], scenario: Scenario, usual: Usual) -> Verdict:
    """Play the night under the scenario, resume it undisturbed, and judge what is there."""
    started = monotonic()
    world.reset()
    with Reader(world.url) as reader:
        struck = _disturbed(world, crew, proxies, scenario, usual)
        refused = frozenset(source for source, lapse in scenario.lapses if lapse == "truncated")
        found = resumed(world, crew, proxies, usual, scenario.publishes, refused)
    found += reader.violations()
    return Verdict(scenario, found, struck, reader.looks, monotonic() - started)


def resumed(
    world: World,
    crew: Crew,
    proxies: dict[str, Proxy],
    usual: Usual,
    publishes: bool,
    refused: frozenset[str] = frozenset(),
) -> list[str]:
    """Play the night again, undisturbed; what does not hold then."""
    again = night(world, crew, proxies, publishes=publishes)
    again.play()
    return [
        *(f"the resumed night: {line}" for line in said(again)),
        *oracle.violations(
            world.url,
            world.run_home,
            usual.truth if publishes else usual.taken_in,
            world.answer_key,
            NIGHT,
            {feed for feeds in FEEDS.values() for feed in feeds},
            publishes,
            refused,
        ),
    ]


def said(played: Night) -> list[str]:
    """Every try that did not end well, and what it said."""
    return [f"{step}: {done.error or done.state}" for step, done in played.ended if done.state != "ok"]


def night(world: World, crew: Crew, proxies: dict[str, Proxy], **options: object) -> Night:
    """The night of all scenarios, its departments behind their proxies."""
    endpoints = {source: proxy.endpoint for source, proxy in proxies.items()}
    return Night(world, NIGHT, endpoints, crew, **options)  # type: ignore[arg-type]


def _disturbed(
    world: World, crew: Crew, proxies: dict[str, Proxy], scenario: Scenario, usual: Usual
) -> list[str]:
    blows = _Blows(world, crew, scenario, usual)
    traps = {
        stroke.step: Trap(
            stroke.point, stroke.is_before, "database" if stroke.victim == "database" else "task"
        )
        for stroke in scenario.strokes
        if stroke.point is not None
    }
    played = night(
        world, crew, proxies, on_start=blows.when_starts, traps=traps, publishes=scenario.publishes
    )
    blows.kill_scheduler = played.kill_scheduler
    for source, fault in scenario.wires:
        proxies[source].arm(fault)
    undo = [_lapse_begins(world, source, lapse) for source, lapse in scenario.lapses]
    try:
        played.play()
    except SchedulerDied:
        blows.told.append("the scheduler died")
    finally:
        blows.cancel()
        for proxy in proxies.values():
            proxy.arm(None)
        world.revive()
        for put_right in undo:
            put_right()
    return blows.told + said(played)


@dataclass
class _Blows:
    """Timers of the strokes that come after a fraction of a step's time."""

    world: World
    crew: Crew
    scenario: Scenario
    usual: Usual
    kill_scheduler: Callable[[], None] = lambda: None
    told: list[str] = field(default_factory=list)
    _timers: list[threading.Timer] = field(default_factory=list)
    _done: set[Stroke] = field(default_factory=set)

    def when_starts(self, step: Step) -> None:
        for stroke in self.scenario.strokes:
            if stroke.step == step and stroke.point is None and stroke not in self._done:
                self._done.add(stroke)
                timer = threading.Timer(
                    stroke.fraction * self.usual.steps[step].seconds, self._strike, [stroke]
                )
                timer.daemon = True
                timer.start()
                self._timers.append(timer)

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
            timer.join()

    def _strike(self, stroke: Stroke) -> None:
        self.told.append(str(stroke))
        if stroke.victim == "database":
            killing.kill_database(self.world.server.data)
        elif stroke.victim == "departments":
            self.world.kill_departments()
        elif stroke.victim == "scheduler":
            self.kill_scheduler()
        else:
            self.crew.kill(stroke.step, with_children=stroke.victim == "task and children")


def _stroke(chance: random.Random, usual: Usual, publishes: bool) -> Stroke:
    verbs = sorted({step.verb for step in usual.steps})
    verb = chance.choice([*verbs, "build", "build", "load", "publish"] if publishes else INTAKE)
    step = chance.choice(sorted((s for s in usual.steps if s.verb == verb), key=str))
    victim: Victim = chance.choices(
        ["task", "task and children", "scheduler", "database", "departments"], [40, 10, 15, 28, 7]
    )[0]
    if victim == "departments":
        step = chance.choice(sorted((s for s in usual.steps if s.verb in ("pull", "feedback")), key=str))
    if victim in ("task", "database") and chance.random() < (0.3 if verb == "build" else 0.8):
        point = chance.randrange(max(usual.steps[step].points, 1))
        return Stroke(step, victim, point, chance.random() < 0.5)
    return Stroke(step, victim, fraction=chance.random())


def _wire(chance: random.Random) -> tuple[str, WireFault]:
    source = chance.choice(sorted(FEEDS))
    kind = chance.choice(["drop", "truncate", "delay"])
    return source, WireFault(
        kind,  # type: ignore[arg-type]
        times=chance.randint(1, 8),
        after_bytes=int(10 ** chance.uniform(0, 4.5)),
        seconds=chance.uniform(0.05, 0.5),
    )


def _lapse(chance: random.Random) -> tuple[str, Lapse]:
    source = chance.choice(sorted(FEEDS))
    if source in SFTP_SOURCES:
        return source, chance.choice(["absent", "truncated", "uploaded twice", "down"])
    if source == "tax":
        return source, chance.choice(["down", "page_repeated", "page_changed", "token_expiry"])
    return source, "down"


def _lapse_begins(world: World, source: str, lapse: Lapse) -> Callable[[], None]:
    """What the department does wrong; the answer puts it right."""
    if lapse in ("down", "page_repeated", "page_changed", "token_expiry"):
        world.departments.fault(lapse, source=source, times=2)
        return lambda: _ignore(world.departments.clear(source))
    files = world.dropped(source)
    for file in files:
        if lapse == "absent":
            file.unlink()
        elif lapse == "truncated" and file.suffix != ".sha256":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    if lapse == "uploaded twice":
        return lambda: _ignore([os.utime(file) for file in files])
    return lambda: world.upload(source)


def _ignore(_: object) -> None:
    return None
