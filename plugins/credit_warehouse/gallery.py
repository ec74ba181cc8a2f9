"""The gallery of questions with their answers in SQL: files of ``queries/``, each with its question in its head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from credit_warehouse.settings import get_settings

_HEAD = re.compile(
    r"-- 问题：(?P<question>.+)\n-- Question: (?P<english>.+)\n-- Marts: (?P<marts>.+)\n-- Columns: (?P<columns>.+)\n"
)


class UnknownQuery(ValueError):
    """There is no such query; the message lists those there are."""


@dataclass(frozen=True)
class Query:
    """One question. ``columns`` are those of its answer; names without a schema are met by every reader's search path."""

    name: str
    question: str
    english: str
    marts: tuple[str, ...]
    columns: tuple[str, ...]
    sql: str


def load_queries() -> dict[str, Query]:
    """Every query by name.

    Raises:
        ValueError: a file does not begin with question, marts and columns.
    """
    return {path.stem: _parse(path) for path in sorted(get_settings().queries_dir.glob("*.sql"))}


def load_query(name: str) -> Query:
    """One query.

    Raises:
        UnknownQuery: there is none of this name.
    """
    queries = load_queries()
    if name not in queries:
        raise UnknownQuery(f"没有示例查询 {name}；可选：{'、'.join(queries)}")
    return queries[name]


def run(connection: psycopg.Connection, query: Query) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of the answer: the last result of the file that is not a setting."""
    cursor = connection.execute(query.sql.encode())
    columns: list[str] = []
    rows: list[tuple[Any, ...]] = []
    while True:
        if cursor.description:
            columns, rows = [column.name for column in cursor.description], cursor.fetchall()
        if not cursor.nextset():
            return columns, rows


def _parse(path: Path) -> Query:
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"{path.name} must begin with 问题, Question, Marts and Columns")
    return Query(
        path.stem,
        head["question"],
        head["english"],
        tuple(head["marts"].split(", ")),
        tuple(head["columns"].split(", ")),
        text,
    )
