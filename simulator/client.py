"""Small client of a running simulator's control endpoint."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx

from simulator import config as configuration


class SimulatorError(Exception):
    """The simulator cannot be reached or refused; the message says what to do."""


class Client:
    """Drives a running simulator.

    Args:
        timeout_seconds: generating many nights of a big city takes long.
    """

    def __init__(self, host: str, port: int, token: str, timeout_seconds: float = 600) -> None:
        self._http = httpx.Client(
            base_url=f"http://{host}:{port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_seconds,
            trust_env=False,
        )

    @classmethod
    def of(cls, home: Path) -> Client:
        """The client of the simulator at ``home``.

        Raises:
            SimulatorError: nothing was ever started there.
        """
        try:
            config = configuration.read(home)
        except FileNotFoundError as error:
            raise SimulatorError(
                f"no simulator at {home}: start it with `python -m simulator serve --home {home}`"
            ) from error
        host = "127.0.0.1" if config.host == "0.0.0.0" else config.host
        return cls(host, config.control.port, config.control.token)

    def advance(self, through: date) -> dict[str, Any]:
        """Generate every night up to ``through``."""
        return self._call("POST", "/advance", json={"date": through.isoformat()})

    def state(self) -> dict[str, Any]:
        """What it has generated, what is armed, where it listens."""
        return self._call("GET", "/state")

    def fault(
        self,
        kind: str,
        *,
        source: str | None = None,
        feed: str | None = None,
        mode: str | None = None,
        times: int = 1,
    ) -> dict[str, Any]:
        """Arm a fault (see ``simulator.faults``)."""
        wish = {"kind": kind, "source": source, "feed": feed, "mode": mode, "times": times}
        return self._call("POST", "/faults", json=wish)

    def clear(self, source: str | None = None) -> dict[str, Any]:
        """Disarm the faults of one source, or all."""
        return self._call("DELETE", "/faults", params={"source": source} if source else None)

    def redeliver(self, feed: str, day: date) -> dict[str, Any]:
        """Have a department send a night's delivery again, this time right."""
        return self._call("POST", "/redeliver", json={"feed": feed, "date": day.isoformat()})

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise SimulatorError(
                f"the simulator does not answer ({error}): is `python -m simulator serve` running?"
            ) from error
        body: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if answer.is_error:
            raise SimulatorError(str(body.get("error", f"HTTP {answer.status_code}")))
        return body
