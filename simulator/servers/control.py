"""The simulator's own endpoint: make nights, arm faults, look.

``POST /advance {"date"}``, ``GET /state``, ``POST /faults``, ``DELETE /faults?source=``,
``POST /redeliver {"feed", "date"}``; all with ``Authorization: Bearer <token>`` but ``GET /health``.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.faults import Fault


class Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")
    date: date


class Redeliver(BaseModel):
    model_config = ConfigDict(extra="forbid")
    feed: str
    date: date


class Controlled(Protocol):
    """What the endpoint drives."""

    async def advance(self, through: date) -> list[date]: ...
    async def arm(self, fault: Fault) -> None: ...
    async def clear(self, source: str | None) -> None: ...
    async def redeliver(self, feed: str, day: date) -> None: ...
    def describe(self) -> dict[str, Any]: ...


def control_app(simulator: Controlled, token: str) -> Starlette:
    """The ASGI application."""

    def guarded(
        handler: Callable[[Request], Awaitable[dict[str, Any]]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guard(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return JSONResponse({"error": "wrong or no control token"}, status_code=401)
            try:
                return JSONResponse(await handler(request))
            except ValidationError as error:
                problems = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors()]
                return JSONResponse({"error": "; ".join(problems)}, status_code=422)
            except LookupError as error:
                return JSONResponse({"error": str(error)}, status_code=404)

        return guard

    async def advance(request: Request) -> dict[str, Any]:
        wish = Advance.model_validate_json(await request.body())
        made = await simulator.advance(wish.date)
        return {"generated": [day.isoformat() for day in made], **simulator.describe()}

    async def state(_: Request) -> dict[str, Any]:
        return simulator.describe()

    async def arm(request: Request) -> dict[str, Any]:
        await simulator.arm(Fault.model_validate_json(await request.body()))
        return simulator.describe()

    async def clear(request: Request) -> dict[str, Any]:
        await simulator.clear(request.query_params.get("source"))
        return simulator.describe()

    async def redeliver(request: Request) -> dict[str, Any]:
        wish = Redeliver.model_validate_json(await request.body())
        await simulator.redeliver(wish.feed, wish.date)
        return simulator.describe()

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/advance", guarded(advance), methods=["POST"]),
            Route("/state", guarded(state), methods=["GET"]),
            Route("/faults", guarded(arm), methods=["POST"]),
            Route("/faults", guarded(clear), methods=["DELETE"]),
            Route("/redeliver", guarded(redeliver), methods=["POST"]),
        ]
    )
