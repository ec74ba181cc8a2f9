"""Where an expression was replaced by a faster one, both say the same of every text."""

from __future__ import annotations

import random

import duckdb
import pytest

from credit_warehouse.contracts import Field
from credit_warehouse.contracts.model import FieldTerms, FieldType
from credit_warehouse.intake.rules import NULL_SPELLINGS, text_column, trimmed_column, value_expression

COUNT = 20_000
BLANKS = " \t\n\r\u00a0\u3000\ufeff"
_TRIM = "trim(x, chr(32) || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288) || chr(65279))"
_SPELLINGS = ", ".join(f"'{spelling}'" for spelling in NULL_SPELLINGS)
_DAY = """
    case when regexp_full_match(x, '[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}( 00:00:00)?')
        then try_cast(replace(x, ' 00:00:00', '') as date)
    when regexp_full_match(x, '[12][0-9]{3}.*')
        then try_strptime(x, ['%Y%m%d', '%Y/%m/%d', '%Y年%m月%d日', '%Y.%m.%d'])::date end
"""
_SHAPE = "regexp_full_match(x, '-?[0-9]{1,14}([.][0-9]{1,6})?')"
_AMOUNT = f"case when {_SHAPE} then cast(round(try_cast(x as decimal(24, 6))FACTOR, 2) as decimal(20, 2)) end"


def field(type_: FieldType, **terms: str) -> Field:
    return Field(
        name="x", header="x", label="x", description="x", type=type_, terms=FieldTerms.model_validate(terms)
    )


def agree(texts: list[str], old: str, new: str) -> int:
    """Asserts that both expressions over ``x`` (also ``t_x``, ``r_x``) agree; how many texts have a value."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select x, {old} as old, {new} as new from (select x, x as t_x from (select unnest(?::varchar[]) as x))",
            [texts],
        ).fetchall()
    assert [row for row in rows if row[1] != row[2]] == []
    return sum(row[1] is not None for row in rows)


def test_trimming() -> None:
    chance = random.Random(1)
    parts = (*BLANKS, "", "", "甲", "x y", "-", *NULL_SPELLINGS)
    texts = ["".join(chance.choices(parts, k=chance.randrange(5))) for _ in range(COUNT)]
    string = field(FieldType.STRING)
    assert agree(texts, _TRIM, trimmed_column(string)) == COUNT
    cleaned = f"case when {_TRIM} in ({_SPELLINGS}) then null else {_TRIM} end"
    new = text_column(string).replace("r_x", f"({trimmed_column(string)})")
    assert 0 < agree(texts, cleaned, new) < COUNT


def test_days() -> None:
    chance = random.Random(2)

    def day() -> str:
        year, month, of_month = chance.randrange(1000, 2999), chance.randrange(14), chance.randrange(33)
        signs = chance.choice(
            (("", "", ""), ("/", "/", ""), ("年", "月", "日"), (".", ".", ""), ("-", "-", ""))
        )
        padded = chance.random() < 0.7
        parts = [f"{part:02d}" if padded else str(part) for part in (month, of_month)]
        text = f"{year}{signs[0]}{parts[0]}{signs[1]}{parts[1]}{signs[2]}"
        place = chance.randrange(len(text) + 1)
        odd = chance.choice(("", "", "", " ", "/", ".", "年", "0", "x", "日", " 00:00:00"))
        return text[:place] + odd + text[place + chance.randrange(2) * bool(odd) :]

    texts = [day() for _ in range(COUNT)]
    assert COUNT / 5 < agree(texts, _DAY, value_expression(field(FieldType.DATE))) < COUNT


@pytest.mark.parametrize(("terms", "factor"), [({}, ""), ({"deliveredUnit": "CNY_10K"}, " * 10000")])
def test_amounts(terms: dict[str, str], factor: str) -> None:
    chance = random.Random(3)

    def amount() -> str:
        whole = "".join(chance.choices("0123456789", k=chance.randrange(1, 16)))
        fraction = "".join(chance.choices("0123456789", k=chance.randrange(8)))
        return chance.choice(("", "", "-", "+")) + whole + chance.choice((".", ".", ",", "")) + fraction

    texts = [amount() for _ in range(COUNT)]
    new = value_expression(field(FieldType.NUMBER, **terms))
    assert COUNT / 4 < agree(texts, _AMOUNT.replace("FACTOR", factor), new) < COUNT
