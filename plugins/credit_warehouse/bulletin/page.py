"""The bulletin as one HTML file that needs no server, no script and no network, and prints on A4."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from credit_warehouse.bulletin import charts, figures
from credit_warehouse.bulletin.printing import save
from credit_warehouse.bulletin.rendering import templates
from credit_warehouse.database import connect
from credit_warehouse.intake.error_codes import by_number
from credit_warehouse.settings import get_settings


def write(month: date, publication_id: int | None = None, folder: Path | None = None) -> Path:
    """Write the bulletin of the month that begins on ``month``, from a publication (default: the current one).

    The file appears whole or not at all, its PDF beside it; the same publication gives the same bytes of HTML.

    Raises:
        credit_warehouse.bulletin.figures.NoFigures: there is nothing to tell of that month.
        credit_warehouse.bulletin.printing.PrintFailed: the page is written, its PDF is not.
    """
    with connect(publication_id) as connection:
        # One snapshot: nothing published or entered meanwhile mixes two states on one page.
        connection.execute("set transaction isolation level repeatable read, read only")
        found = figures.gather(connection, month)
    folder = folder or get_settings().bulletins_dir
    return save(folder / f"{found.city['city_name']}-{month:%Y-%m}.html", render(found))


def render(bulletin: figures.Bulletin) -> str:
    """The page."""
    return templates.get_template("bulletin.html.j2").render(
        bulletin=bulletin,
        ranked=[bulletin.metrics[code] for code in figures.RANKED],
        overall=[bulletin.metrics[code] for code in figures.OVERALL if code in bulletin.overall],
        codes=by_number(),
        volume=_volume(bulletin.trend),
        quality=_quality(bulletin.trend),
    )


def _by_month(trend: figures.Rows, code: str, value: str) -> dict[date, Decimal | None]:
    return {row["month"]: row[value] for row in trend if row["metric_code"] == code}


def _volume(trend: figures.Rows) -> charts.Chart:
    delivered = _by_month(trend, "delivered_rows", "numerator")
    top = max((value for value in delivered.values() if value is not None), default=Decimal(0)) or Decimal(1)
    return charts.draw(
        [f"{month.month}月" for month in delivered],
        [("报送行数", "#1d4e89", list(delivered.values()))],
        top,
        [(Decimal(0), "0"), (top / 2, f"{round(top / 2):,}"), (top, f"{round(top):,}")],
    )


def _quality(trend: figures.Rows) -> charts.Chart:
    compliance = _by_month(trend, "compliance_rate", "rate")
    timeliness = _by_month(trend, "timeliness_rate", "rate")
    return charts.draw(
        [f"{month.month}月" for month in compliance],
        [
            ("合规率", "#1d4e89", list(compliance.values())),
            ("及时率", "#c8553d", [timeliness.get(month) for month in compliance]),
        ],
        Decimal(1),
        [
            (Decimal(share), f"{round(100 * share)}%")
            for share in (Decimal("0"), Decimal("0.5"), Decimal("1"))
        ],
    )
