"""A dozen disturbed nights: nine drawn by seed that end with the intake, three whole ones. `make chaos` plays hundreds."""

from __future__ import annotations

import pytest

from tests.chaos.longrun import Arena
from tests.chaos.scenario import Scenario, Stroke, draw
from tests.chaos.work import Step

MARTS, CORE = Step("build", "marts"), Step("build", "core")


@pytest.mark.parametrize("seed", range(1, 10))
def test_an_intake_survives(city: Arena, seed: int) -> None:
    verdict = city.verdict(draw(seed, city.usual, publishes=False))
    assert verdict.violations == [], str(verdict.scenario)


@pytest.mark.parametrize(
    "stroke",
    [
        Stroke(CORE, "task", fraction=0.7),
        Stroke(MARTS, "database", fraction=0.6),
        Stroke(Step("publish"), "database", point=9, is_before=False),
    ],
    ids=str,
)
def test_a_whole_night_survives(city: Arena, stroke: Stroke) -> None:
    verdict = city.verdict(Scenario(0, (stroke,)))
    assert verdict.struck, "it was struck at all"
    assert verdict.looks > 0
    assert verdict.violations == []
