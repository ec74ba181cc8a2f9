"""Which publication, and which day of the plans, a request asks for."""

from __future__ import annotations

import pytest

from credit_warehouse.dashboards.pinning import NIGHT, asked


def asking(*values: object, column: str = "publication_id", op: str = "IN") -> dict[str, object]:
    return {"queries": [{"filters": [{"col": column, "op": op, "val": value}]} for value in values]}


def test_the_publication_a_page_filters_on() -> None:
    assert asked(asking([41], [41])) == asked(asking(41)) == {"credit.publication": "41"}


def test_the_day_a_page_filters_on() -> None:
    assert asked(asking(["2026-03-17"], column="as_of_label")) == {"credit.as_of": "2026-03-17"}
    assert asked(asking([NIGHT], column="as_of_label")) == {}


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        asking(["2026-03"], column="month"),
        asking("%2026-03%", column="as_of_label", op="ILIKE"),
    ],
)
def test_a_request_that_asks_for_none(request_: dict[str, object] | None) -> None:
    assert asked(request_) == {}


@pytest.mark.parametrize(
    "request_",
    [
        asking([41, 42]),
        asking([41], [42]),
        asking(["41 -c role=warehouse"]),
        asking(["2026-03-17", "2026-03-18"], column="as_of_label"),
        asking(["2026-03-17 -c role=warehouse"], column="as_of_label"),
        asking(["2026-02-30"], column="as_of_label"),
    ],
)
def test_several_or_what_is_none_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        asked(request_)
