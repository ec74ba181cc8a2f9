"""The leaders' page: the city in a minute, for a phone, a wall or paper, without a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from credit_warehouse.bulletin import charts
from credit_warehouse.bulletin.figures import Rows, month_before
from credit_warehouse.bulletin.overview_figures import MONTHS, SHOWN, WEEKS, Overview, gather
from credit_warehouse.bulletin.printing import save
from credit_warehouse.bulletin.rendering import templates
from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings

SUBJECTS = {"organisation": "组织", "person": "自然人"}
EFFECTS = {"adverse": "不良", "neutral": "中性", "positive": "良好"}
LOWEST = 6
"""Professional groups shown, the least covered first; the monthly bulletin has all."""
STATUS_COLOURS = {
    "met": "#1a7f4b", "met_late": "#7fb894", "on_track": "#1d4e89", "at_risk": "#e0a030",
    "overdue": "#b3261e", "never_evidenced": "#d9827c", "not_measurable": "#b8c0cb",
}  # fmt: skip


def write_overview(publication_id: int | None = None, folder: Path | None = None) -> Path:
    """Write the city's page from a publication (default: the current one), its PDF beside it.

    Raises:
        credit_warehouse.bulletin.figures.NoFigures: nothing is published, or nobody delivered in its month.
        credit_warehouse.bulletin.printing.PrintFailed: the page is written, its PDF is not.
    """
    with connect(publication_id) as connection:
        # One snapshot: nothing published or entered meanwhile mixes two states on one page.
        connection.execute("set transaction isolation level repeatable read, read only")
        found = gather(connection)
    folder = folder or get_settings().bulletins_dir
    return save(folder / f"{found.city['city_name']}-总览.html", render(found))


def render(overview: Overview) -> str:
    """The page."""
    return templates.get_template("overview.html.j2").render(
        overview=overview,
        shown=[overview.metrics[code] for code in SHOWN],
        groups=(groups := [row for row in overview.coverage if row["population"] == "professional_group"]),
        coverage=[row for row in overview.coverage if row not in groups] + groups[:LOWEST],
        lowest=LOWEST,
        late=sum(row["items"] for row in overview.tasks if row["status"] in ("overdue", "never_evidenced")),
        filed=[row for row in overview.coverage if row["population"] in ("population", "enterprise")],
        gate=[(label, number) for label, number in overview.gate.items() if number],
        trends=_trends(overview),
        weeks=(weeks := _weeks(overview.night)),
        heat=_heat(overview.weeks, weeks, overview.small_count),
        plans=_plans(overview.tasks),
        status_colours=STATUS_COLOURS,
        subjects=[(SUBJECTS[row["subject_type"]], row["subjects"]) for row in overview.subjects],
        records=_records(overview.records),
        effects=EFFECTS,
    )


@dataclass(frozen=True)
class Cell:
    """A department's week. ``rate`` none = nothing had to be in time that week."""

    rate: Decimal | None
    on_time: int
    timed: int
    is_small: bool

    @property
    def colour(self) -> str:
        """From red over yellow to green, pale enough for dark print."""
        return f"hsl({round(float(self.rate or 0) * 120)} 62% 78%)"


def _weeks(night: date) -> list[date]:
    monday = night - timedelta(days=night.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _heat(rows: Rows, weeks: Iterable[date], small_count: int) -> list[tuple[str, list[Cell | None]]]:
    """A line per department that delivered at all in these weeks; none = nothing came that week."""
    cells = {(row["department_code"], row["week"]): _cell(row, small_count) for row in rows}
    names = {row["department_code"]: row["department_name"] for row in rows}
    return [(name, [cells.get((code, week)) for week in weeks]) for code, name in names.items()]


def _cell(row: dict[str, int | None], small_count: int) -> Cell:
    on_time, timed = int(row["on_time"] or 0), int(row["timed"] or 0)
    return Cell(Decimal(on_time) / timed if timed else None, on_time, timed, timed < small_count)


def _trends(overview: Overview) -> dict[str, charts.Chart]:
    """Scores of the last months, a line per department."""
    months = [overview.night.replace(day=1)]
    while len(months) < MONTHS:
        months.insert(0, month_before(months[0]))
    scores = {(row["department_code"], row["month"]): row["score"] for row in overview.scores}
    return {
        code: charts.draw(
            [f"{one.month}月" for one in months],
            [("得分", "#1d4e89", [scores.get((code, one)) for one in months])],
            Decimal(100),
            [],
        )
        for code in {row["department_code"] for row in overview.ranking}
    }


def _plans(tasks: Rows) -> list[tuple[str, int, Rows]]:
    """Title, number of tasks and statuses of every plan, in the order of the statuses' colours."""
    order = list(STATUS_COLOURS)
    titles = dict.fromkeys(row["plan_title"] for row in tasks)
    found = []
    for title in titles:
        rows = sorted(
            (row for row in tasks if row["plan_title"] == title), key=lambda row: order.index(row["status"])
        )
        found.append((title, sum(row["items"] for row in rows), rows))
    return found


def _records(rows: Rows) -> list[tuple[str, dict[str, int]]]:
    """Records on display of every category, by effect, the largest first."""
    by_category: dict[str, dict[str, int]] = {}
    for row in rows:
        by_category.setdefault(row["record_category"], {})[row["effect"]] = row["records"]
    return sorted(by_category.items(), key=lambda item: -sum(item[1].values()))
