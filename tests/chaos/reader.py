"""Somebody who reads the marts all night: what each publication held must be the same at every look."""

from __future__ import annotations

import threading
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.chaos import oracle

LOGIN = "chaos_reader"
_EVERY_SECONDS = 0.3
_STEADY: tuple[LiteralString, ...] = (
    "department_coverage_daily",
    "feedback_item",
    "reporting_period",
    "feed",
    "catalogue_item",
    "population_movement",
    "plan_task",
)
"""Marts whose views leave nothing out as days pass or removals are entered: what a reader sees of them is the publication."""


class Reader:
    """Polls until it is left. ``looks`` counts its looks, ``violations`` tells what it should not have seen."""

    def __init__(self, admin_url: str) -> None:
        self._url = admin_url
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._seen: dict[tuple[int | None, str], int] = {}
        self._refused: list[str] = []
        self.looks = 0

    def __enter__(self) -> Reader:
        with psycopg.connect(self._url) as connection:
            if connection.execute("select from pg_roles where rolname = %s", [LOGIN]).fetchone() is None:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(LOGIN)))
                connection.execute(sql.SQL("grant credit_analyst to {}").format(sql.Identifier(LOGIN)))
            self._marts = oracle.stores(connection)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(timeout=60)

    def violations(self) -> list[str]:
        """Compared with each publication as it is held in the end, pinned."""
        found = list(self._refused)
        with psycopg.connect(self._url) as connection:
            published = {
                row[0]
                for row in connection.execute(
                    "select publication_id from ops.publication where state = 'published'"
                )
            }
        for (publication, seen), times in self._seen.items():
            if publication not in published:
                found.append(f"a reader saw publication {publication}, which was never published")
            elif seen != (now := self._look(publication)[1]):
                found.append(f"{times} looks at publication {publication} saw {seen} instead of {now}")
        return found

    def _read(self) -> None:
        while not self._left.is_set():
            try:
                seen = self._look(None)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self._left.wait(_EVERY_SECONDS)  # the database is down; so is every reader
                continue
            except psycopg.Error as error:
                self._refused.append(f"a reader was refused: {error}")
                return
            self._seen[seen] = self._seen.get(seen, 0) + 1
            self.looks += 1
            self._left.wait(_EVERY_SECONDS)

    def _look(self, pinned: int | None) -> tuple[int | None, str]:
        """The publication's number and a digest of what it holds, in one statement of a reader and one of the stores."""
        with psycopg.connect(self._url, connect_timeout=5) as connection:
            # One snapshot for both; the readers' statement is run with the readers' rights.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("select set_config('credit.publication', %s, false)", [str(pinned or "")])
            number = connection.execute("select ops.reading_publication()").fetchone()
            held = connection.execute(_STORES(self._marts), {"now": number[0] if number else None}).fetchone()
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(LOGIN)))
            read = connection.execute(_VIEWS).fetchone()
        assert number is not None and held is not None and read is not None
        return number[0], f"{held[0]} {read[0]}"


def _sum(name: sql.Composable, condition: LiteralString) -> sql.Composed:
    return sql.SQL(
        "select concat(count(*), ':', sum(hashtextextended(m::text, 0))) as part from (select * from {}"
    ).format(name) + sql.SQL(condition + ") as m")


_VIEWS = sql.SQL("select string_agg(part, ' ') from ({}) as parts").format(
    sql.SQL(" union all ").join(_sum(sql.Identifier("mart", name), "") for name in _STEADY)
)


def _STORES(names: list[str]) -> sql.Composed:
    """Every mart as stored, as of one publication; a closing number is part of no publication before it."""
    return sql.SQL("select md5(string_agg(part, ' ')) from ({}) as parts").format(
        sql.SQL(" union all ").join(
            sql.SQL(
                "select concat(count(*), ':', sum(hashtextextended((to_jsonb(m) - 'valid_to_publication')::text, 0)))"
                " as part from mart_store.{} as m where valid_from_publication <= %(now)s"
                " and coalesce(valid_to_publication > %(now)s, true)"
            ).format(sql.Identifier(name))
            for name in names
        )
    )
