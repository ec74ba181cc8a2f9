"""The DuckDB macros against an independent implementation, and the subject key against the standard library's HMAC."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from credit_warehouse.identity import duckdb as identity

UNTIL = date(2026, 3, 2)
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORG = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

digits = st.text("0123456789", min_size=3, max_size=3)
births = st.dates(date(1900, 1, 1), UNTIL)
regions = st.from_regex(r"[1-9][0-9]{5}", fullmatch=True)


@pytest.fixture(scope="module")
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    identity.install(connection, "pepper")
    yield connection
    connection.close()


def says(sql: duckdb.DuckDBPyConnection, expression: str, *values: object) -> bool:
    row = sql.execute(f"select {expression}", list(values)).fetchone()
    assert row is not None
    return bool(row[0])


def is_resident_id(sql: duckdb.DuckDBPyConnection, text: str) -> bool:
    return says(sql, "is_resident_id(?, ?::date)", text, UNTIL)


@given(region=regions, birth=births, sequence=digits)
def test_a_number_with_the_right_check_digit_is_valid_whatever_its_county(
    sql: duckdb.DuckDBPyConnection, region: str, birth: date, sequence: str
) -> None:
    body = f"{region}{birth:%Y%m%d}{sequence}"
    assert is_resident_id(sql, body + mod_11_2.calc_check_digit(body))


@given(region=regions, birth=births, sequence=digits, wrong=st.sampled_from("0123456789X"))
def test_the_check_digit_is_mod_11_2(
    sql: duckdb.DuckDBPyConnection, region: str, birth: date, sequence: str, wrong: str
) -> None:
    number = f"{region}{birth:%Y%m%d}{sequence}{wrong}"
    assert is_resident_id(sql, number) == mod_11_2.is_valid(number)


@given(region=regions, days=st.integers(1, 40_000), sequence=digits)
def test_nobody_is_born_after_the_delivery(
    sql: duckdb.DuckDBPyConnection, region: str, days: int, sequence: str
) -> None:
    body = f"{region}{UNTIL + timedelta(days=days):%Y%m%d}{sequence}"
    assert not is_resident_id(sql, body + mod_11_2.calc_check_digit(body))


@pytest.mark.parametrize(
    "number",
    [
        "",
        "11010519491231002x",
        "110105194912310020",
        "110105194902310025",
        "1101051949123100",
        "０1010519491231002X",
    ],
)
def test_broken_resident_ids(sql: duckdb.DuckDBPyConnection, number: str) -> None:
    assert not is_resident_id(sql, number)


@pytest.mark.parametrize(
    "region", ["441481", "441302", "610802", "530502", "230102", "810000", "830000", "412723"]
)
def test_the_regions_python_stdnum_refuses(sql: duckdb.DuckDBPyConnection, region: str) -> None:
    body = f"{region}19850307451"
    assert is_resident_id(sql, body + mod_11_2.calc_check_digit(body))


def org_check(body: str) -> str:
    total = sum(ORG.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def uscc_of(prefix: str, body: str) -> str:
    code = prefix + body + org_check(body)
    return code + USCC[(31 - sum(USCC.index(c) * pow(3, i, 31) for i, c in enumerate(code)) % 31) % 31]


prefixes = st.from_regex(r"[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}", fullmatch=True)
bodies = st.text(USCC, min_size=8, max_size=8)


@given(prefix=prefixes, body=bodies)
def test_both_check_digits_make_a_code(sql: duckdb.DuckDBPyConnection, prefix: str, body: str) -> None:
    code = uscc_of(prefix, body)
    assert says(sql, "is_uscc(?)", code)
    assert says(sql, "is_org_code(?)", code[8:17])


@given(prefix=prefixes, body=bodies, place=st.integers(0, 17), other=st.sampled_from(USCC))
def test_one_wrong_character_is_always_seen(
    sql: duckdb.DuckDBPyConnection, prefix: str, body: str, place: int, other: str
) -> None:
    code = uscc_of(prefix, body)
    broken = code[:place] + other + code[place + 1 :]
    assert says(sql, "is_uscc(?)", broken) == (broken == code)


@given(prefix=prefixes, body=bodies, inner=st.sampled_from("0123456789X"))
def test_a_wrong_inner_digit_is_seen_though_the_outer_fits(
    sql: duckdb.DuckDBPyConnection, prefix: str, body: str, inner: str
) -> None:
    code = prefix + body + inner
    code += USCC[(31 - sum(USCC.index(c) * pow(3, i, 31) for i, c in enumerate(code)) % 31) % 31]
    assert says(sql, "is_uscc(?)", code) == (inner == org_check(body))


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_published_codes(sql: duckdb.DuckDBPyConnection, code: str) -> None:
    assert says(sql, "is_uscc(?)", code)


@given(number=st.from_regex(r"[1-9][0-9]{9}\*{4}[0-9]{3}[0-9X]", fullmatch=True))
def test_masked_numbers_are_known_as_such_and_are_no_ids(sql: duckdb.DuckDBPyConnection, number: str) -> None:
    assert says(sql, "is_masked_resident_id(?)", number)
    assert not is_resident_id(sql, number)


@given(kind=st.sampled_from(["uscc", "resident_id"]), value=st.text(USCC, min_size=1, max_size=18))
def test_the_subject_key_is_an_hmac(sql: duckdb.DuckDBPyConnection, kind: str, value: str) -> None:
    expected = hmac.new(b"pepper", f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:32]
    row = sql.execute("select subject_key(?, ?)", [kind, value]).fetchone()
    assert row == (expected,)


def test_a_pepper_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        identity.install(duckdb.connect(), "x" * 65)
