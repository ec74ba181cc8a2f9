"""Line charts as SVG: a dozen points a line, drawn where the page is read, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 190, 76, 26, 14


@dataclass(frozen=True)
class Line:
    """One line of a chart: ``values`` per month, none where unknown; ``points`` are the pieces without a gap."""

    label: str
    colour: str
    values: Sequence[Decimal | None]
    points: tuple[str, ...]
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Chart:
    """A drawn chart: lines, marks of the vertical axis (height, text) and of the months (place, text)."""

    lines: tuple[Line, ...]
    marks: tuple[tuple[float, str], ...]
    months: tuple[tuple[float, str], ...]


def draw(
    months: Sequence[str],
    series: Sequence[tuple[str, str, Sequence[Decimal | None]]],
    top: Decimal,
    texts: Sequence[tuple[Decimal, str]],
) -> Chart:
    """A chart of ``series`` (label, colour, values) from 0 to ``top``; ``texts`` name heights of the axis."""
    step = (WIDTH - LEFT - 12) / max(len(months) - 1, 1)
    places = [round(LEFT + step * index, 1) for index in range(len(months))]
    return Chart(
        tuple(_line(label, colour, values, places, top) for label, colour, values in series),
        tuple((_height(value, top), text) for value, text in texts),
        tuple(zip(places, months, strict=True)),
    )


def _height(value: Decimal, top: Decimal) -> float:
    room = HEIGHT - BOTTOM - TOP
    return round(HEIGHT - BOTTOM - float(value / top) * room if top else HEIGHT - BOTTOM, 1)


def _line(
    label: str, colour: str, values: Sequence[Decimal | None], places: Sequence[float], top: Decimal
) -> Line:
    pieces: list[list[str]] = [[]]
    dots = []
    for place, value in zip(places, values, strict=True):
        if value is None:
            pieces.append([])
            continue
        height = _height(value, top)
        pieces[-1].append(f"{place},{height}")
        dots.append((place, height, str(value)))
    return Line(label, colour, values, tuple(" ".join(piece) for piece in pieces if piece), tuple(dots))
