"""Charts of the saved reports, drawn from the reports' own tables: a figure is in one place only.

``harness.save`` draws a report's charts as it saves it; ``python -m bench.charts`` draws those of all saved reports again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Table = list[dict[str, str]]
"""A Markdown table: its rows, each by the columns' headings."""

HEADING = "## In pictures"
_COLOURS = ("#1f6f8b", "#e07a3f", "#7a9e4b", "#8c6bb1", "#b0413e", "#6b7280")


@dataclass(frozen=True)
class Chart:
    """One picture of one table: the first of the report that has all its columns.

    ``names``: columns that say what a bar is or where on the x axis a point lies; ``values``: a bar or a line each;
    ``split``: column each of whose values has lines of its own; ``goal``: column of what is to be reached, drawn as a mark;
    ``scale``: of the bars.
    """

    title: str
    kind: Literal["bars", "lines"]
    names: tuple[str, ...]
    values: tuple[str, ...]
    unit: str
    split: str | None = None
    goal: str | None = None
    scale: Literal["linear", "log"] = "linear"

    @property
    def columns(self) -> set[str]:
        return {*self.names, *self.values} | {name for name in (self.split, self.goal) if name}


_PAGES = Chart("Queries of a page", "bars", ("page",), ("p50 ms", "p95 ms", "longest ms"), "ms")
_NIGHT = Chart("A night through Airflow and without", "bars", ("night",),
               ("first step to publication", "sum of its steps"), "s")  # fmt: skip

CHARTS: dict[str, tuple[Chart, ...]] = {
    "intake": (
        Chart("Rows a second", "bars", ("delivery", "peer"), ("our rows/s", "its rows/s"), "rows/s"),
        Chart("Memory", "bars", ("delivery", "peer"), ("our peak MB",), "MB"),
    ),
    "build": (Chart("The two marts, from the same files", "bars", ("way",), ("CPU s", "wall s"), "s"),),
    "night": (
        Chart("A night, start-up included, and DuckDB's rebuild", "bars", ("records", "changed rows"),
              ("night: wall s", "DuckDB: wall s"), "s"),
        Chart("A night's database time and the full build's", "bars", ("records", "changed rows"),
              ("night: database s", "full: database s"), "CPU s", scale="log"),
    ),
    "readers": (
        Chart("Waits of 32 clients", "bars", ("question",), ("p50 ms", "p99 ms"), "ms", goal="goal"),
        Chart("Moving to another publication", "bars", ("way",), ("move p50 ms", "move p99 ms"), "ms"),
        Chart("Disk, by where it lies", "bars", ("where",),
              ("heap, bytes per record", "indexes, bytes per record"), "bytes per record"),
    ),
    "history": (
        Chart("A night's time over a year", "lines", ("night",), ("night ms",), "ms", split="history"),
        Chart("A reader's wait over a year", "lines", ("night",), ("report p50", "as of p50", "month p50"), "ms",
              split="history"),
        Chart("Stores over a year", "lines", ("night",), ("stores MB",), "MB", split="history"),
    ),
    "soak": (
        Chart("Time of each night", "lines", ("night",), ("wall s", "CPU s"), "s"),
        Chart("Memory and disk after each night", "lines", ("night",), ("memory MB", "disk MB", "landed files MB"), "MB"),
    ),
    "orchestration": (_NIGHT,),
    "orchestration_city": (_NIGHT,),
    "dashboards_demo": (_PAGES,),
    "dashboards_city": (_PAGES,),
}  # fmt: skip
"""By the name a report is saved under, a quick run's (``build_quick``) included."""


def with_pictures(report: Path) -> None:
    """Draw the charts of a saved report beside it and end the report with them. One without charts stays as it is.

    Raises:
        LookupError: the report has no table with the columns a chart needs.
    """
    charts = CHARTS.get(report.stem.removesuffix("_quick"), ())
    if not charts:
        return
    text = report.read_text("utf-8").split(HEADING)[0].rstrip()
    lines = [text, "", HEADING]
    for number, chart in enumerate(charts, 1):
        target = report.with_name(f"{report.stem}_{number}.svg")
        draw(chart, found(text, chart), target)
        lines += ["", f"![{chart.title}]({target.name})"]
    report.write_text("\n".join(lines) + "\n", "utf-8")


def found(text: str, chart: Chart) -> Table:
    """The chart's table in a report."""
    for table in tables(text):
        if chart.columns <= table[0].keys():
            return table
    raise LookupError(f"no table has the columns {sorted(chart.columns)} of the chart “{chart.title}”")


def tables(text: str) -> list[Table]:
    """All Markdown tables of a text that have rows; emphasis is left out."""
    blocks = re.findall(r"(?:^\|.*\|$\n?){3,}", text + "\n", re.MULTILINE)
    split = [
        [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in block.splitlines()]
        for block in blocks
    ]
    return [[dict(zip(head, row, strict=True)) for row in rows] for head, _, *rows in split]


def number(cell: str) -> float | None:
    """The figure a cell begins with, whatever unit follows; none where it holds none."""
    figure = re.match(r"-?[\d,]*\.?\d+", cell)
    return float(figure[0].replace(",", "")) if figure else None


def draw(chart: Chart, table: Table, target: Path) -> None:
    """The same bytes for the same table: a report redrawn shows no change in git."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import font_manager, pyplot

    installed = {font.name for font in font_manager.fontManager.ttflist}
    families = [name for name in ("DejaVu Sans", "Noto Sans CJK SC") if name in installed]
    settings: Any = {
        "svg.hashsalt": chart.title,
        "svg.fonttype": "none",
        "font.family": families,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(settings):
        height = 2 + 0.35 * len(table) * len(chart.values) if chart.kind == "bars" else 3.6
        figure, axes = pyplot.subplots(figsize=(8, height), layout="constrained")
        (_bars if chart.kind == "bars" else _lines)(axes, chart, table)
        axes.set_title(chart.title, loc="left", fontweight="bold")
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
        figure.savefig(target, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)


def _bars(axes: Axes, chart: Chart, table: Table) -> None:
    """Lying, the first row on top, each with its figure."""
    rows = [row for row in table if number(row[chart.values[0]]) is not None]
    thick = 0.8 / len(chart.values)
    for place, name in enumerate(chart.values):
        at = [line + (place - (len(chart.values) - 1) / 2) * thick for line in range(len(rows))]
        bars = axes.barh(at, _figures(rows, name), thick, label=name, color=_COLOURS[place])
        axes.bar_label(bars, [f" {row[name]}" for row in rows], fontsize="small")
    if chart.goal:
        above, below = ([line + side for line in range(len(rows))] for side in (-0.45, 0.45))
        axes.vlines(
            _figures(rows, chart.goal), above, below, color="black", linestyles="dashed", label=chart.goal
        )
    axes.set_yticks(range(len(rows)), [" · ".join(row[name] for name in chart.names) for row in rows])
    axes.set_ylabel(" · ".join(chart.names))
    axes.invert_yaxis()
    axes.set_xscale(chart.scale)
    axes.set_xlabel(chart.unit)


def _lines(axes: Axes, chart: Chart, table: Table) -> None:
    """Over the one column of ``names``; what is split has one dash pattern each."""
    parts: list[str | None] = (
        list(dict.fromkeys(row[chart.split] for row in table)) if chart.split else [None]
    )
    for (place, part), (colour, name) in product(enumerate(parts), enumerate(chart.values)):
        rows = [row for row in table if part is None or row[chart.split or ""] == part]
        axes.plot(
            _figures(rows, chart.names[0]),
            _figures(rows, name),
            linestyle=("-", "--", ":")[place],
            color=_COLOURS[colour],
            label=" · ".join(filter(None, (name, part))),
        )
    axes.set_ylim(bottom=0)
    axes.set_xlabel(chart.names[0])
    axes.set_ylabel(chart.unit)


def _figures(rows: Table, column: str) -> list[float]:
    return [number(row[column]) or 0 for row in rows]


def main() -> None:
    """Draw the charts of all saved reports again."""
    from bench.harness import RESULTS

    for report in sorted(RESULTS.glob("*.md")):
        with_pictures(report)


if __name__ == "__main__":
    main()
