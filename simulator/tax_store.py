"""What the tax system holds: every version of every item, by the time it was written.

Versions are kept, so that a window that is asked for again answers the same.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists item (
  feed text not null, updated_at text not null, id integer primary key, business_date text not null, body text not null
);
create index if not exists item_window on item (feed, updated_at, id);
"""


@dataclass(frozen=True)
class Page:
    """One page and where the next one starts (``after`` of its last item; None when there is none)."""

    items: list[dict[str, Any]]
    after: tuple[str, int] | None


class TaxStore:
    """Items in a SQLite file; safe to use from the server's threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def replace_night(self, feed: str, day: date, items: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Write the (updated_at, item) pairs of one night, in delivered order, over what it may hold of that night."""
        rows = ((feed, at, day.isoformat(), json.dumps(item, ensure_ascii=False)) for at, item in items)
        with self._lock, self._db:
            self._db.execute("delete from item where feed = ? and business_date = ?", (feed, day.isoformat()))
            cursor = self._db.executemany(
                "insert into item (feed, updated_at, business_date, body) values (?, ?, ?, ?)", rows
            )
            return cursor.rowcount

    def count(self, feed: str, since: str, before: str) -> int:
        """Items in the half-open window."""
        with self._lock:
            found = self._db.execute(
                "select count(*) from item where feed = ? and updated_at >= ? and updated_at < ?",
                (feed, since, before),
            ).fetchone()
        return int(found[0])

    def page(self, feed: str, since: str, before: str, after: tuple[str, int] | None, limit: int) -> Page:
        """Up to ``limit`` items of the window after ``after``, by (updated_at, id)."""
        with self._lock:
            rows = self._db.execute(
                "select updated_at, id, body from item where feed = ? and updated_at >= ? and updated_at < ?"
                " and (updated_at, id) > (?, ?) order by updated_at, id limit ?",
                (feed, since, before, *(after or ("", 0)), limit + 1),
            ).fetchall()
        shown = rows[:limit]
        more = len(rows) > limit
        return Page([json.loads(body) for *_, body in shown], (shown[-1][0], shown[-1][1]) if more else None)
