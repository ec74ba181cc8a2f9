"""Identity codes: both check digits right in the world, and each spoiler spoils exactly what it says."""

from __future__ import annotations

import pytest
from stdnum.cn import ric, uscc

from simulator import codes
from simulator.world import FIRST_STRANGER, RESIDENT_REGION, World
from tests.unit.simulator.judge import is_org_code, is_resident_id, is_uscc

WORLD = World(seed=3, enterprises=500, persons=500)
CODES = [WORLD.enterprise(index).uscc for index in [*range(500), FIRST_STRANGER, FIRST_STRANGER + 1]]
NUMBERS = [WORLD.person(index).resident_id for index in range(500)]

# Published codes (two companies, and the example in python-stdnum): an outside check of both algorithms.
PUBLIC_CODES = ("9144030071526726XG", "91330100799655058B", "91110000600037341L")


@pytest.mark.parametrize("code", PUBLIC_CODES)
def test_check_digits_of_public_codes(code: str) -> None:
    assert codes.org_code_check(code[8:16]) == code[16]
    assert codes.uscc_check(code[:17]) == code[17]


def test_check_digits_equal_stdnum() -> None:
    assert all(codes.uscc_check(code[:17]) == uscc.calc_check_digit(code[:17]) == code[17] for code in CODES)
    assert all(
        codes.resident_id_check(number[:17]) == ric.calc_check_digit(number) == number[17]
        for number in NUMBERS
    )


def test_world_has_every_kind_of_code_and_no_two_alike() -> None:
    assert {code[:2] for code in CODES} >= {"91", "92", "93", "52", "N2", "A1", "Y1"}
    assert {code[2:4] for code in CODES} >= {"44", "61", "23"}
    assert len(set(CODES)) == len(CODES)
    assert len(set(NUMBERS)) == len(NUMBERS)


def test_nobody_here_can_be_anybody() -> None:
    assert all(code[8:10] == "QQ" for code in CODES)
    assert all(number.startswith(RESIDENT_REGION) for number in NUMBERS)


def test_everybody_is_an_adult() -> None:
    assert max(WORLD.person(index).born_on.year for index in range(500)) <= 2003


def test_spoilt_codes_fail_only_where_they_should() -> None:
    for code in CODES:
        outer, inner = codes.spoil_uscc_check(code), codes.spoil_uscc_inner(code)
        assert is_uscc(code)
        assert not is_uscc(outer)
        assert is_org_code(outer[8:17])
        assert uscc.calc_check_digit(inner[:17]) == inner[17]
        assert not is_org_code(inner[8:17])
        assert not is_org_code(codes.spoil_org_code(code[8:17]))
    for number in NUMBERS:
        assert is_resident_id(number)
        assert not is_resident_id(codes.spoil_resident_id(number))
        assert codes.mask_resident_id(number) == f"{number[:10]}****{number[14:]}"
