"""The city once, then seed after seed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from credit_warehouse import migrations
from credit_warehouse.settings import get_settings
from tests.chaos import oracle
from tests.chaos.night import ALL_FEEDS, Night
from tests.chaos.proxy import Proxy
from tests.chaos.scenario import Scenario, Usual, Verdict, draw, night, play, resumed, said
from tests.chaos.work import Crew
from tests.chaos.world import FIRST, World


class Arena:
    """A world with its base, and what a night in it usually is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._crew = Crew()
        if not world.has_base:
            self._play_first_night()
        self._proxies = {source: Proxy(endpoint) for source, endpoint in world.endpoints.items()}
        self.usual = self._undisturbed()

    def verdicts(self, seeds: Iterable[int], publishes: bool = True) -> Iterator[Verdict]:
        """One after the other."""
        for seed in seeds:
            yield self.verdict(draw(seed, self.usual, publishes))

    def verdict(self, scenario: Scenario) -> Verdict:
        """One scenario, played, resumed and judged."""
        return play(self._world, self._crew, self._proxies, scenario, self.usual)

    def spoilt(
        self, spoil: AbstractContextManager[object], publishes: bool = False, **options: Any
    ) -> tuple[list[str], list[str]]:
        """A night under ``spoil`` and ``options``, resumed without them: what its steps said, and what does not hold then."""
        self._world.reset()
        with spoil:
            first = night(self._world, self._crew, self._proxies, publishes=publishes, **options)
            first.play()
        self._world.revive()
        return said(first), resumed(self._world, self._crew, self._proxies, self.usual, publishes)

    def twice_at_once(self) -> tuple[list[str], list[str]]:
        """Two schedulers run the whole night at the same time: what their steps said, and what does not hold then."""
        self._world.reset()
        both = [night(self._world, Crew(), self._proxies) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Night.play, both))
        told = [line for each in both for line in said(each)]
        return told, resumed(self._world, self._crew, self._proxies, self.usual, publishes=True)

    @property
    def url(self) -> str:
        """The warehouse of the night."""
        return self._world.url

    def close(self) -> None:
        for proxy in self._proxies.values():
            proxy.close()

    def _play_first_night(self) -> None:
        kept = {name: os.environ.get(name) for name in self._world.environment}
        os.environ.update(self._world.environment)
        get_settings.cache_clear()
        migrations.apply()
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        get_settings.cache_clear()
        first = Night(self._world, FIRST, self._world.endpoints, self._crew, ALL_FEEDS)
        first.play()
        _require_all_ok(first)
        self._world.keep_as_base()

    def _undisturbed(self) -> Usual:
        self._world.reset()
        usual = night(self._world, self._crew, self._proxies, publishes=False)
        usual.play()
        taken_in = oracle.truth(self._world.url)
        published = night(self._world, self._crew, self._proxies)
        published.play()
        for played in (usual, published):
            _require_all_ok(played)
        # What the intake usually costs is what it cost when there was something to take in.
        return Usual(oracle.truth(self._world.url), taken_in, dict([*published.ended, *usual.ended]))


@contextmanager
def arena(home: Path, keep: bool = False) -> Iterator[Arena]:
    """Everything started, and gone again afterwards; with ``keep`` its data stays for the next time."""
    world = World(home)
    try:
        if not world.has_base:
            world.make()
        world.revive()
        found = Arena(world)
        try:
            yield found
        finally:
            found.close()
    finally:
        world.stop() if keep else world.destroy()


def _require_all_ok(night: Night) -> None:
    assert not said(night), f"an undisturbed night did not go well: {said(night)}"
