"""Which publication a request asks for."""

from __future__ import annotations

import pytest

from credit_warehouse.dashboards.pinning import asked_publication


def asking(*values: object) -> dict[str, object]:
    return {
        "queries": [{"filters": [{"col": "publication_id", "op": "IN", "val": value}]} for value in values]
    }


def test_the_publication_a_page_filters_on() -> None:
    assert asked_publication(asking([41], [41])) == 41
    assert asked_publication(asking(41)) == 41


@pytest.mark.parametrize(
    "request_", [None, {}, {"queries": [{"filters": [{"col": "month", "val": ["2026-03"]}]}]}]
)
def test_a_request_that_asks_for_none(request_: dict[str, object] | None) -> None:
    assert asked_publication(request_) is None


@pytest.mark.parametrize("request_", [asking([41, 42]), asking([41], [42]), asking(["41 -c role=warehouse"])])
def test_several_or_what_is_no_number_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        asked_publication(request_)
