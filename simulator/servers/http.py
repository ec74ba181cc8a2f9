"""Runs an ASGI application inside this process's event loop, to be stopped and started again at will."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp


class _Embedded(uvicorn.Server):
    """Leaves the process's signals to the simulator."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class HttpServer:
    """One HTTP server.

    ``start`` raises OSError if the port is taken; ``stop`` refuses new connections and ends the open ones.
    """

    app: ASGIApp
    host: str
    port: int
    _server: _Embedded | None = None
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Does nothing if it listens already."""
        if self._server is not None:
            return
        listener = socket.create_server((self.host, self.port), backlog=64)
        self.port = int(listener.getsockname()[1])
        settings = uvicorn.Config(
            self.app, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=2
        )
        self._server = _Embedded(settings)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop listening. Does nothing if it does not listen."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._server = self._task = None
