"""The gallery's files say what they answer, and name no schema: every reader's search path meets its own rows."""

from __future__ import annotations

import re

import pytest

from credit_warehouse.gallery import UnknownQuery, load_queries, load_query

QUERIES = load_queries()


def test_there_are_a_dozen_and_each_has_a_question_of_its_own() -> None:
    assert len(QUERIES) >= 12
    assert len({query.question for query in QUERIES.values()}) == len(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_the_marts_it_names_and_writes_nothing(name: str) -> None:
    query = QUERIES[name]
    code = re.sub(r"--.*", "", query.sql)
    assert not re.search(r"\b(mart|department|ops|raw|core|vault)\.", code)
    assert not re.search(r"\b(insert|update|delete|create|drop|alter|grant)\b", code, re.IGNORECASE)
    assert all(re.search(rf"\b{mart.removesuffix('()')}\b", code) for mart in query.marts)
    assert re.search(r"[一-鿿].*？$", query.question) and query.english.endswith("?")


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownQuery, match="overdue_tasks"):
        load_query("nothing")
