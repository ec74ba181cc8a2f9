"""Python, DuckDB and PostgreSQL say the same about every code, a hundred thousand of each kind in one query."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from credit_warehouse.database import connect
from credit_warehouse.identity import codes
from credit_warehouse.identity import duckdb as macros
from credit_warehouse.identity.codes import Kind
from tests.unit.identity import generated

COUNT = 100_000
UNTIL = date(2026, 3, 2)
SEED = 3
NAMES = (
    "（",
    "）",
    "甲",
    "〔",
    "【",
    " ",
    "　",
    "·",
    "•",
    "Ａ",
    "b",
    "'",
    "\\",
    "張",
    "𠮷",
    "﹙",
    "-",
    "－",
    "\u00e9",
)

Answers = list[tuple[str | None, bool]]


@pytest.mark.parametrize("kind", list(Kind))
def test_codes(warehouse: str, kind: Kind) -> None:
    texts = list(generated.codes(kind, COUNT, SEED))
    expected = [_by_python(kind, text) for text in texts]
    valid = sum(is_valid for _, is_valid in expected)
    assert 0.2 < valid / COUNT < 0.95, "both sides of the line are tried"
    assert _by_duckdb(kind, texts) == expected
    assert _by_postgres(kind, texts) == expected


def test_names(warehouse: str) -> None:
    chance = generated.random.Random(SEED)
    texts = ["".join(chance.choices(NAMES, k=chance.randrange(6))) for _ in range(20_000)]
    expected = [codes.canonical_name(text) for text in texts]
    with duckdb.connect() as connection:
        macros.install(connection, "pepper")
        found = connection.execute(
            "select list_transform(?::varchar[], lambda t: canonical_name(t))", [texts]
        ).fetchone()
    assert found == (expected,)
    with connect() as postgres:
        rows = postgres.execute(
            "select identity.canonical_name(t) from unnest(%s::text[]) with ordinality as given (t, n) order by n",
            [texts],
        ).fetchall()
    assert [row[0] for row in rows] == expected


def test_only_the_loading_role_may_ask(warehouse: str) -> None:
    with connect() as connection:
        allowed = connection.execute(
            "select distinct grantee::regrole::text from pg_proc, aclexplode(proacl)"
            " where pronamespace = 'identity'::regnamespace and grantee <> proowner"
        ).fetchall()
        closed = connection.execute(
            "select count(*) from pg_proc where pronamespace = 'identity'::regnamespace and proacl is null"
        ).fetchone()
    assert allowed == [("credit_etl",)]
    assert closed == (0,)


def _by_python(kind: Kind, text: str) -> tuple[str | None, bool]:
    code = codes.canonical(kind, text)
    return code, codes.is_valid(kind, code, UNTIL)


def _by_duckdb(kind: Kind, texts: list[str]) -> Answers:
    with duckdb.connect() as connection:
        macros.install(connection, "pepper")
        return connection.execute(
            f"select canonical('{kind}', t) as code, is_valid('{kind}', code, ?::date)"
            " from (select unnest(given) as t, generate_subscripts(given, 1) as n from (select ?::varchar[] as given))"
            " order by n",
            [UNTIL, texts],
        ).fetchall()


def _by_postgres(kind: Kind, texts: list[str]) -> Answers:
    with connect() as connection:
        return connection.execute(
            "with given as (select n, identity.canonical(%(kind)s, t) as code"
            " from unnest(%(texts)s::text[]) with ordinality as given (t, n))"
            " select code, identity.is_valid(%(kind)s, code, %(until)s) from given order by n",
            {"kind": kind.value, "texts": texts, "until": UNTIL},
        ).fetchall()
