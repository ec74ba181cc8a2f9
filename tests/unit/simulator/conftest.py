"""Nights of one small city, made once for all tests that only look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from simulator.answer_key import NightKey
from simulator.city import City
from simulator.feeds import FEEDS
from simulator.rows import Row


@dataclass(frozen=True)
class Night:
    day: date
    rows: dict[str, list[Row]]
    key: NightKey


def nights(city: City, count: int) -> Iterator[Night]:
    """The next ``count`` nights with all their rows."""
    for _ in range(count):
        day = city.next_night
        rows = {feed.id: list(city.deliver(feed, day)) for feed in FEEDS.values()}
        yield Night(day, rows, city.close_night())


@pytest.fixture(scope="session")
def eight_nights() -> list[Night]:
    return list(nights(City(seed=7, enterprises=400, persons=500), 8))
