"""The reference implementation, against what is published and what the algorithms promise."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2, mod_11_10

from credit_warehouse.identity.codes import (
    DIGITS,
    ORG_ALPHABET,
    USCC_ALPHABET,
    Kind,
    canonical,
    canonical_name,
    is_valid,
    registration_check,
    resident_check,
    uscc_check,
)
from tests.unit.identity import generated

UNTIL = date(2026, 3, 2)
kinds = st.sampled_from(list(Kind))
chances = st.integers(0, 10**9).map(random.Random)


@given(kind=kinds, chance=chances)
def test_a_code_made_by_the_rules_is_valid_in_its_canonical_form(kind: Kind, chance: random.Random) -> None:
    code = generated.code(kind, chance)
    made = canonical(kind, code)
    born_in_law = kind is not Kind.RESIDENT_ID or len(code) == 18
    if born_in_law:
        assert made == code
        assert is_valid(kind, made)


@given(kind=kinds, text=st.text())
def test_canonical_is_canonical(kind: Kind, text: str) -> None:
    once = canonical(kind, text)
    assert once is None or canonical(kind, once) == once


@given(kind=kinds, chance=chances)
def test_spelling_does_not_matter(kind: Kind, chance: random.Random) -> None:
    code = canonical(kind, generated.code(kind, chance))
    assert code is not None
    full_width = "".join(chr(ord(char) + 0xFEE0) for char in code)
    spaced = " ".join(code)
    assert {
        canonical(kind, text) for text in (code.lower(), full_width, spaced, f"{code[:8]}-{code[8:]}")
    } == {code}


@given(
    kind=st.sampled_from([Kind.RESIDENT_ID, Kind.USCC, Kind.REGISTRATION_NO]), chance=chances, data=st.data()
)
def test_one_wrong_character_is_seen(kind: Kind, chance: random.Random, data: st.DataObject) -> None:
    code = canonical(kind, generated.code(kind, chance))
    assert code is not None
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([char for char in ORG_ALPHABET if char != code[place]]))
    assert not is_valid(kind, code[:place] + other + code[place + 1 :])


@given(chance=chances, place=st.integers(0, 7))
def test_an_organisation_code_sees_one_wrong_character_but_an_a_for_an_l(
    chance: random.Random, place: int
) -> None:
    """MOD 11 over values up to 35: characters eleven apart are the same to it."""
    code = generated.code(Kind.ORG_CODE, chance)
    for other in ORG_ALPHABET:
        broken = code[:place] + other + code[place + 1 :]
        alike = (ORG_ALPHABET.index(other) - ORG_ALPHABET.index(code[place])) % 11 == 0
        assert is_valid(Kind.ORG_CODE, broken) == alike


@given(body=st.text(DIGITS, min_size=17, max_size=17))
def test_the_resident_check_is_mod_11_2(body: str) -> None:
    assert resident_check(body) == mod_11_2.calc_check_digit(body)


@given(body=st.text(DIGITS, min_size=14, max_size=14))
def test_the_registration_check_is_mod_11_10(body: str) -> None:
    assert registration_check(body) == mod_11_10.calc_check_digit(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("110105491231002", "11010519491231002X"),
        # Sequences 996–999 were kept for those born in the 1800s (DOMAIN.md §2.1).
        ("110105991231997", "11010518991231997" + resident_check("11010518991231997")),
        ("110105491231995", "11010519491231995" + resident_check("11010519491231995")),
    ],
)
def test_fifteen_digits_become_eighteen(old: str, new: str) -> None:
    assert canonical(Kind.RESIDENT_ID, old) == new
    assert is_valid(Kind.RESIDENT_ID, new)


@given(old=st.text(DIGITS, min_size=15, max_size=15))
def test_only_the_born_have_eighteen_digits(old: str) -> None:
    number = canonical(Kind.RESIDENT_ID, old)
    assert number is not None
    year = number[6:10]
    assert year[:2] == ("18" if old[12:] in ("996", "997", "998", "999") else "19")
    try:
        born = date(int(year), int(old[8:10]), int(old[10:12]))
        expected = old[0] != "0" and born >= date(1880, 1, 1)
    except ValueError:
        expected = False
    assert is_valid(Kind.RESIDENT_ID, number) == expected


@given(days=st.integers(-3, 3))
def test_nobody_is_born_after_the_day_asked_for(days: int) -> None:
    body = f"441302{UNTIL + timedelta(days=days):%Y%m%d}123"
    number = body + resident_check(body)
    assert is_valid(Kind.RESIDENT_ID, number, UNTIL) == (days <= 0)
    assert is_valid(Kind.RESIDENT_ID, number)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.USCC, "91350100M000100Y43"),
        (Kind.USCC, "91110000600037341L"),
        (Kind.REGISTRATION_NO, "110108000000016"),
    ],
)
def test_published_codes(kind: Kind, code: str) -> None:
    assert is_valid(kind, code)


@pytest.mark.parametrize("start", ["N1", "N2", "N3", "A1", "Y1", "91", "54", "35"])
@pytest.mark.parametrize("region", ["610802", "650100", "441302"])
def test_codes_that_common_libraries_refuse(start: str, region: str) -> None:
    """python-stdnum wants eight digits in front; a regular expression in use refuses regions that start with 6."""
    body = f"{start}{region}MA4UQQ12"
    inner = body[8:]
    for check in "0123456789X":
        first = body + check
        code = first + uscc_check(first)
        assert is_valid(Kind.USCC, code) == is_valid(Kind.ORG_CODE, inner + check)
    assert any(is_valid(Kind.ORG_CODE, inner + check) for check in "0123456789X")


@pytest.mark.parametrize("char", "IOSVZ")
@given(chance=chances, place=st.integers(8, 15))
def test_the_alphabet_has_no_look_alikes(char: str, chance: random.Random, place: int) -> None:
    assert char not in USCC_ALPHABET
    code = generated.code(Kind.USCC, chance)
    body = code[:place] + char + code[place + 1 : 17]
    assert not any(is_valid(Kind.USCC, body + check) for check in USCC_ALPHABET)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.ORG_CODE, "71526726-X", "71526726X"),
        (Kind.MASKED_RESIDENT_ID, "4413021985＊＊＊＊451x", "4413021985****451X"),
        (Kind.USCC, "  ", None),
        (Kind.USCC, "", None),
        (Kind.RESIDENT_ID, "11010549123100٢", "11010549123100٢"),
    ],
)
def test_canonical(kind: Kind, text: str, expected: str | None) -> None:
    assert canonical(kind, text) == expected


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "惠州市甲（集团）有限公司",
            "惠州市甲(集团)有限公司 ",
            "惠州市　甲〔集团〕有限公司",
            "惠州市甲【集团】有限公司",
        ),
        ("阿依古丽·买买提", "阿依古丽•买买提", "阿依古丽 买买提", "阿依古丽．买买提"),
        ("ＳＭＩＴＨ John", "Smith  John", "SMITHJOHN"),
    ],
)
def test_a_name_has_one_spelling(spellings: tuple[str, ...]) -> None:
    assert len({canonical_name(name) for name in spellings}) == 1


@pytest.mark.parametrize("text", ["", " ", "\u3000·"])
def test_nothing_is_no_name(text: str) -> None:
    assert canonical_name(text) is None
