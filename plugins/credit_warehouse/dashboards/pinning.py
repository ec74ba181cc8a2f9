"""How Superset's connections read: as the database login of the user's role, and one publication.

Every dataset tells the publication of its rows, and each page filters on it. The session is pinned to the one asked for;
were it not, the filter would find no rows: a page shows one publication or nothing. Superset imports this, in an
environment of its own: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

COLUMN = "publication_id"


def asked_publication(request: Mapping[str, Any] | None) -> int | None:
    """The publication that a request for a chart's data filters on; None = it does not.

    Raises:
        ValueError: it asks for several, or for what is no number.
    """
    queries = (request or {}).get("queries") or []
    asked = {
        int(value)
        for query in queries
        for condition in query.get("filters") or []
        if condition.get("col") == COLUMN
        for value in _values(condition.get("val"))
    }
    if len(asked) > 1:
        raise ValueError("一个页面只能读取一个发布批次")
    return asked.pop() if asked else None


def _values(value: object) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]
