"""The seed ``announced_day``: holidays and adjusted working days of the PRC, as the State Council announced them.

``python -m credit_warehouse.transform.calendar`` writes it again; do so every November, when `chinesecalendar`
carries the next year. A year that is not announced is not guessed: dbt's test `working_day__covers_run` then fails.
"""

from __future__ import annotations

import csv
from pathlib import Path

from chinese_calendar.constants import holidays, workdays

from credit_warehouse.settings import get_settings

FIRST_YEAR = 2015


def write_seed(path: Path, first_year: int = FIRST_YEAR) -> int:
    """Write one row per announced day: day, is_workday, occasion. Returns the number of days.

    1 January is a holiday of every year, so a year that is announced has at least one row.
    """
    announced = [(day, False, occasion) for day, occasion in holidays.items()]
    announced += [(day, True, occasion) for day, occasion in workdays.items()]
    rows = sorted(row for row in announced if row[0].year >= first_year)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["day", "is_workday", "occasion"])
        for day, is_workday, occasion in rows:
            writer.writerow([day.isoformat(), str(is_workday).lower(), occasion])
    return len(rows)


if __name__ == "__main__":
    print(write_seed(get_settings().dbt_project_dir / "seeds" / "announced_day.csv"), "days")
