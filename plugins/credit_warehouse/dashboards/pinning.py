"""How Superset's connections read: as the database login of the user's role, one publication, and the plans as of one day.

Every dataset tells the publication of its rows, those of plans the day too, and pages filter on both. The session is
pinned to what is asked for; were it not, the filter would find no rows: a page shows one publication and day or nothing.
Superset imports this, in an environment of its own: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

NIGHT = "发布业务日"
"""What a page asks for that asks for no day (mart ``plan_day``)."""


def asked(request: Mapping[str, Any] | None) -> dict[str, str]:
    """The session's settings for a request of a chart's data, by what it filters on.

    Raises:
        ValueError: it asks for several publications or days, or for what is none.
    """
    settings = {
        "credit.publication": {str(int(value)) for value in _values(request, "publication_id")},
        "credit.as_of": {
            date.fromisoformat(str(value)).isoformat()
            for value in _values(request, "as_of_label")
            if value != NIGHT
        },
    }
    if any(len(values) > 1 for values in settings.values()):
        raise ValueError("一个页面只能读取一个发布批次和一个日期")
    return {name: values.pop() for name, values in settings.items() if values}


def _values(request: Mapping[str, Any] | None, column: str) -> Iterable[Any]:
    """What a column is to equal; a search among a filter's values asks for no one of them."""
    for query in (request or {}).get("queries") or []:
        for condition in query.get("filters") or []:
            if condition.get("col") == column and condition.get("op", "IN") in ("IN", "=="):
                value = condition.get("val")
                yield from value if isinstance(value, list | tuple) else [value]
