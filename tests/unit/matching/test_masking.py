"""What a reviewer gets to see of a name or number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_warehouse.matching.masking import mask_name, mask_number


@pytest.mark.parametrize(
    ("number", "kind", "shown"),
    [
        ("441399198501011234", "person", "4413991985****1234"),
        ("4413991985****123*", "person", "4413991985****123*"),
        ("X1234567", "person", "X1****67"),
        ("91441302QQ000000XX", "organisation", "91441302QQ000000XX"),
        (None, "person", "（无）"),
        ("", "organisation", "（无）"),
    ],
)
def test_as_much_of_a_number_as_is_needed(number: str | None, kind: str, shown: str) -> None:
    assert mask_number(number, kind) == shown


@given(st.text(alphabet="0123456789X", min_size=1, max_size=20))
def test_a_persons_number_is_never_shown_whole(number: str) -> None:
    shown = mask_number(number, "person")
    assert len(shown) == len(number)
    assert "*" in shown


def test_a_person_is_listed_by_the_surname_only() -> None:
    assert mask_name("欧阳样例", "person") == "欧*"
    assert mask_name("惠州市拟恒达商贸有限公司", "organisation") == "惠州市拟恒达商贸有限公司"
