"""An HTTP API with OAuth2 client credentials, a change window and cursor pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_after_delay

from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.sources.arrival import Arrival, Taken
from credit_warehouse.settings import get_settings

PAGE_SIZE = 500
_TIMEOUT = httpx.Timeout(30)
_BUSY = frozenset({429, 502, 503, 504})
_BUSY_ATTEMPTS = 5
_BUSY_SECONDS = 120
_EXTRACTION_ATTEMPTS = 3


class _ExtractionChanged(Exception):
    """The pages do not belong together: the data moved under the cursor, or a page came twice."""


def take(
    contract: FeedContract, business_date: date, endpoint: Endpoint, taken: Taken, scratch: Path
) -> Iterator[Arrival]:
    """The window from the last one's end to the end of ``business_date``, as one file of JSON lines.

    Raises:
        SourceUnavailable: no connection, busy beyond patience, an unexpected answer, or pages that keep changing.
    """
    zone = ZoneInfo(get_settings().timezone)
    until = datetime.combine(business_date + timedelta(days=1), time(), zone).isoformat()
    window = {"updated_before": until, **({"updated_since": taken.watermark} if taken.watermark else {})}
    target = scratch / "items.jsonl"
    label = contract.department_label
    try:
        with httpx.Client(
            base_url=f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}", timeout=_TIMEOUT
        ) as http:
            client = Api(http, endpoint)
            for _ in range(_EXTRACTION_ATTEMPTS):
                try:
                    _extract(client, contract.terms.delivery.path, window, target)
                    break
                except _ExtractionChanged as changed:
                    reason = changed
            else:
                raise SourceUnavailable(f"{label}接口在翻页过程中数据反复变化：{reason}")
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise SourceUnavailable(f"{label}接口无法访问或返回异常：{error!r}") from error
    window_id = f"{contract.terms.delivery.path}?{taken.watermark or ''}..{until}"
    yield Arrival(target, f"{contract.name}.jsonl", window_id, business_date, until)


def _extract(client: Api, path: str, window: dict[str, str], target: Path) -> None:
    """All pages of one extraction, or :class:`_ExtractionChanged`."""
    cursor: str | None = None
    snapshot: object = None
    seen_cursors: set[str] = set()
    seen_pages: set[str] = set()
    count = 0
    with target.open("w", encoding="utf-8") as out:
        while True:
            page = client.get(
                path, {**window, "limit": str(PAGE_SIZE), **({"cursor": cursor} if cursor else {})}
            )
            if count == 0 and snapshot is None:
                snapshot = page["snapshot"]
            if page["snapshot"] != snapshot:
                raise _ExtractionChanged("快照编号变化")
            lines = [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in page["items"]]
            digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
            if lines and digest in seen_pages:
                raise _ExtractionChanged("同一页重复返回")
            seen_pages.add(digest)
            out.writelines(line + "\n" for line in lines)
            count += len(lines)
            cursor = page["next_cursor"]
            if cursor is None:
                break
            if cursor in seen_cursors:
                raise _ExtractionChanged("翻页游标重复")
            seen_cursors.add(cursor)
    if count != page["total"]:
        raise _ExtractionChanged(f"应有 {page['total']} 条，实际 {count} 条")


class Api:
    """One session: a token that renews itself, and patience where the server asks for it."""

    def __init__(self, http: httpx.Client, endpoint: Endpoint) -> None:
        self._http = http
        self._endpoint = endpoint
        self._token: str | None = None

    def get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """One page.

        Raises:
            httpx.HTTPError: no connection, or an answer that is an error.
            ValueError, KeyError: an answer that is no page.
        """
        response = self.request("GET", path, params=parameters)
        response.raise_for_status()
        page = response.json()
        if not isinstance(page["items"], list):
            raise ValueError("items is not a list")
        return page

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One authorised request and its answer, whatever it says.

        Raises:
            httpx.HTTPError: no connection, no token, or busy beyond patience.
        """
        response = self._send(method, path, headers=self._authorised(), **options)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None  # expired in the middle of an extraction
            response = self._send(method, path, headers=self._authorised(), **options)
        return response

    def _authorised(self) -> dict[str, str]:
        if self._token is None:
            response = self._send(
                "POST",
                self._endpoint.extra.get("token_path", "/oauth/token"),
                data={"grant_type": "client_credentials"},
                auth=(self._endpoint.user, self._endpoint.password),
            )
            response.raise_for_status()
            self._token = str(response.json()["access_token"])
        return {"Authorization": f"Bearer {self._token}"}

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, repeated while the server says it is busy, as late as it asks."""
        retrying = Retrying(
            retry=retry_if_exception(_is_busy),
            wait=_asked_wait,
            stop=stop_after_attempt(_BUSY_ATTEMPTS) | stop_after_delay(_BUSY_SECONDS),
            reraise=True,
        )
        for attempt in retrying:
            with attempt:
                response = self._http.request(method, path, **options)
                if response.status_code in _BUSY:
                    response.raise_for_status()
                return response
        raise AssertionError("unreachable: Retrying returns or raises")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code in _BUSY


def _asked_wait(state: RetryCallState) -> float:
    """Seconds of the server's Retry-After, else doubling from one."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, httpx.HTTPStatusError) else ""
    return min(float(asked), _BUSY_SECONDS) if asked.isdigit() else float(2 ** (state.attempt_number - 1))
