"""The tax department's HTTP API: OAuth2 client credentials, cursor pages, and the temper of a real one.

``POST /oauth/token`` and ``GET /v1/{feed}?updated_since=&updated_before=&limit=&cursor=``; the window is half-open,
times without an offset are Asia/Shanghai. Now and then an answer is 429 or 503 with ``Retry-After: 1``, by seed and
never twice in a row, so a client that waits as told always gets through.

``POST /v1/feedback`` (multipart: ``manifest``, ``file`` …) takes a feedback package and answers with a receipt number.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import random
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from simulator.faults import FaultKind
from simulator.feedback import Inbox, Unacceptable
from simulator.feeds import feeds_of
from simulator.servers.board import FaultBoard
from simulator.tax_store import TaxStore

_FEEDS = {feed.name: feed.id for feed in feeds_of("tax")}
_SHANGHAI = timezone(timedelta(hours=8))
_DEFAULT_LIMIT = 500
_BUSY_SHARE = 0.05


@dataclass
class TaxApi:
    """The API over a store.

    Attributes:
        token_seconds: how long a token lives.
        page_size: items a page holds at most, whatever ``limit`` asks for.
        busy_share: share of data requests answered 429 or 503.
    """

    store: TaxStore
    board: FaultBoard
    inbox: Inbox
    client_id: str
    client_secret: str
    token_seconds: int = 300
    page_size: int = 200
    seed: int = 0
    busy_share: float = _BUSY_SHARE

    def __post_init__(self) -> None:
        self._tokens: dict[str, float] = {}
        self._requests = 0
        self._busy_before = False

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/v1/feedback", self._feedback, methods=["POST"]),
                Route("/v1/{feed}", self._items, methods=["GET"]),
            ]
        )

    async def _health(self, _: Request) -> Response:
        if self.board.is_down("tax"):
            return _error(503, "unavailable", "系统维护中")
        return JSONResponse({"status": "ok"})

    async def _token(self, request: Request) -> Response:
        if self.board.is_down("tax"):
            return _error(503, "unavailable", "系统维护中", retry_after=1)
        form = await request.form()
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", "只支持 client_credentials")
        given = _basic(request.headers.get("authorization", ""))
        if given is None or not hmac.compare_digest(given, f"{self.client_id}:{self.client_secret}"):
            return _error(401, "invalid_client", "客户端标识或密钥不正确")
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        self._tokens = {known: dies for known, dies in self._tokens.items() if dies > now}
        self._tokens[token] = now + self.token_seconds
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds})

    async def _items(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        feed = _FEEDS.get(request.path_params["feed"])
        if feed is None:
            return _error(404, "not_found", f"没有数据集 {request.path_params['feed']}")
        try:
            query = _Query.of(request)
        except ValueError as error:
            return _error(400, "invalid_request", str(error))
        if query.after and self.board.strikes(FaultKind.PAGE_REPEATED, feed):
            query.after = None
        total = self.store.count(feed, query.since, query.before)
        page = self.store.page(feed, query.since, query.before, query.after, min(query.limit, self.page_size))
        snapshot = hashlib.sha256(f"{feed}|{query.since}|{query.before}|{total}".encode()).hexdigest()[:16]
        if query.cursor and query.snapshot != snapshot:
            return _error(410, "snapshot_gone", "数据已变化，请从第一页重新提取")
        body: dict[str, Any] = {
            "items": page.items,
            "next_cursor": _cursor(page.after, snapshot) if page.after else None,
            "total": total,
            "snapshot": snapshot,
        }
        if query.cursor and self.board.strikes(FaultKind.PAGE_CHANGED, feed):
            body |= {"snapshot": snapshot[::-1], "total": total + 3}
        if self.board.strikes(FaultKind.TOKEN_EXPIRY, feed, only_if=page.after is not None):
            self._tokens.clear()
        if self.board.strikes(FaultKind.DROP_CONNECTION, feed):
            return _broken_off(json.dumps(body, ensure_ascii=False).encode())
        return JSONResponse(body)

    async def _feedback(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if self.board.refuses_feedback("tax"):
            return _error(403, "forbidden", "暂不接收反馈单")
        async with request.form() as form:
            parts = [(name, part) for name, part in form.multi_items() if isinstance(part, UploadFile)]
            manifest = [await part.read() for name, part in parts if name == "manifest"]
            files = {str(part.filename): await part.read() for name, part in parts if name == "file"}
        try:
            return JSONResponse(self.inbox.take(b"".join(manifest), files), status_code=201)
        except Unacceptable as error:
            return _error(422, "unacceptable", str(error))

    def _refusal(self, request: Request) -> Response | None:
        """Why this request is not answered: source down, no token, or busy."""
        if self.board.is_down("tax"):
            return _error(503, "unavailable", "系统维护中", retry_after=1)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._tokens.get(token, 0.0) <= time.monotonic():
            response = _error(401, "invalid_token", "令牌无效或已过期")
            response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return response
        self._requests += 1
        draw = random.Random(f"{self.seed}:{self._requests}").random()
        self._busy_before = draw < self.busy_share and not self._busy_before
        if self._busy_before:
            status = 429 if draw < self.busy_share / 2 else 503
            return _error(status, "busy", "请求过于频繁，请稍后再试", retry_after=1)
        return None


@dataclass
class _Query:
    since: str
    before: str
    limit: int
    cursor: str | None
    after: tuple[str, int] | None
    snapshot: str | None

    @classmethod
    def of(cls, request: Request) -> _Query:
        params = request.query_params
        limit = int(params.get("limit", _DEFAULT_LIMIT))
        if limit < 1:
            raise ValueError("limit 须为正整数")
        query = cls(
            since=_moment(params.get("updated_since"), "0001-01-01 00:00:00"),
            before=_moment(params.get("updated_before"), "9999-12-31 00:00:00"),
            limit=limit,
            cursor=params.get("cursor"),
            after=None,
            snapshot=None,
        )
        if query.cursor:
            try:
                at, number, query.snapshot = json.loads(base64.urlsafe_b64decode(query.cursor))
                query.after = (str(at), int(number))
            except (ValueError, binascii.Error) as error:
                raise ValueError("cursor 不是本接口发出的游标") from error
        return query


def _cursor(after: tuple[str, int], snapshot: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*after, snapshot]).encode()).decode()


def _moment(text: str | None, default: str) -> str:
    """An ISO time as the store writes it. A ``+`` that arrived as a blank is put back."""
    if not text:
        return default
    moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(_SHANGHAI)
    return moment.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")


def _basic(header: str) -> str | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded).decode()
    except (ValueError, binascii.Error):
        return None


def _error(status: int, code: str, message: str, retry_after: int | None = None) -> JSONResponse:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse({"error": code, "message": message}, status_code=status, headers=headers)


def _broken_off(body: bytes) -> Response:
    """An answer that promises its full length and ends in the middle."""

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError("armed fault: connection dropped mid-body")

    return StreamingResponse(
        half(), media_type="application/json", headers={"Content-Length": str(len(body))}
    )
