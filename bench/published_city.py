"""A generated city with its first nights published: what benchmarks of readers and of history start from."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.city import City, night_date
from bench.city_load import load_night
from bench.warehouse import vacuum, warehouse
from credit_warehouse import pipeline


@contextmanager
def published_city(city: City, nights: int = 1) -> Iterator[str]:
    """A warehouse of its own with ``nights`` nights of the city published through dbt; yields its superuser's URL."""
    with warehouse() as url:
        for night in range(nights):
            publish_night(city, night)
        vacuum(url)
        yield url


def publish_night(city: City, night: int) -> int:
    """Load a night's deliveries, build and publish. The gate on single rows is left out: it changes nothing that is read."""
    started = time.perf_counter()
    rows = load_night(city, night)
    candidate = pipeline.open_candidate(night_date(night))
    assert candidate is not None
    pipeline.build("core", candidate)
    pipeline.build("marts", candidate)
    pipeline.publish(candidate)
    print(
        f"  night {night}: {rows:,} rows, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True
    )
    return candidate
