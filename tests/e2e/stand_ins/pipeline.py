"""The verbs of ``credit_warehouse.pipeline`` without a warehouse: they note that they were called, and fail on demand.

``$STAND_IN/calls`` gets one JSON line a call, ``$STAND_IN/settled/<date>/<source>`` is the ledger of answers,
``$STAND_IN/fresh`` says that there is something to publish, ``$STAND_IN/fail/<what>`` asks for a failure.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import load_contracts
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.feedback.sending import Sent
from credit_warehouse.upward.exchanging import Exchanged

HOME = Path(os.environ["STAND_IN"])
SOURCES = sorted({contract.source for contract in load_contracts().values()})


class GateFailed(Exception):
    """As the real one."""


def pull_all(
    endpoints: dict[str, Endpoint], business_date: date, run_id: str | None = None
) -> dict[str, list[int]]:
    for feed, endpoint in endpoints.items():
        _note("pull", feed, business_date, run_id, endpoint.host)
    source = next(iter(endpoints)).split(".")[0]
    if _asked(f"down_{source}"):
        raise SourceUnavailable(f"{source} does not answer")
    return {feed: [1] for feed in endpoints}


def load_all(feeds: list[str], business_date: date, run_id: str | None = None) -> dict[str, list[int]]:
    for feed in feeds:
        _note("load", feed, business_date, run_id)
    if _asked_once("database"):
        raise psycopg.errors.AdminShutdown("terminating connection due to administrator command")
    if _asked_once("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if _asked("bug"):
        raise ValueError("a bug")
    (HOME / "fresh").touch()
    return {feed: [1] for feed in feeds}


def gate(source: str, business_date: date, run_id: str | None = None) -> dict[str, int]:
    _note("gate", source, business_date, run_id)
    return {"accepted": 1, "refused": 0}


def settle(source: str, business_date: date, run_id: str | None = None) -> dict[str, str]:
    _note("settle", source, business_date, run_id)
    night = HOME / "settled" / business_date.isoformat()
    night.mkdir(parents=True, exist_ok=True)
    (night / source).touch()
    return {source: "delivered"}


def return_feedback(source: str, business_date: date, endpoint: Endpoint, run_id: str | None = None) -> Sent:
    _note("return_feedback", source, business_date, run_id, endpoint.host)
    return Sent(waiting=[source], reason="down") if _asked(f"down_{source}") else Sent(acknowledged=[source])


def unanswered(business_date: date) -> list[str]:
    night = HOME / "settled" / business_date.isoformat()
    return [source for source in SOURCES if not (night / source).exists()]


def open_candidate(business_date: date, run_id: str | None = None) -> int | None:
    changed = (HOME / "fresh").exists()
    (HOME / "fresh").unlink(missing_ok=True)
    _note("open_candidate", changed, business_date, run_id)
    return 41 if changed else None


def build(layer: str, publication_id: int, run_id: str | None = None) -> None:
    _note("build", layer, None, run_id, publication_id)


def gate_publication(publication_id: int, run_id: str | None = None) -> None:
    _note("gate_publication", None, None, run_id, publication_id)
    if _asked("gate"):
        raise GateFailed("覆盖率应在 0 至 100 之间：3 行不符，请检查分母")


def publish(publication_id: int, run_id: str | None = None) -> None:
    _note("publish", None, None, run_id, publication_id)


def propose_matches(business_date: date, run_id: str | None = None) -> None:
    _note("propose_matches", None, business_date, run_id)
    if _asked("matching"):
        raise ValueError("no candidates tonight")


def exchange_build(business_date: date, run_id: str | None = None) -> str | None:
    _note("exchange_build", None, business_date, run_id)
    return "441300-000001"


def exchange_send(business_date: date, endpoint: Endpoint, run_id: str | None = None) -> Exchanged:
    _note("exchange_send", None, business_date, run_id, endpoint.host)
    return Exchanged()


def write_bulletins(business_date: date, run_id: str | None = None) -> list[Path]:
    _note("write_bulletins", None, business_date, run_id)
    return []


def discard(publication_id: int, reason: str, run_id: str | None = None) -> None:
    _note("discard", reason, None, run_id, publication_id)


def _note(verb: str, what: Any, business_date: date | None, run_id: str | None, with_: Any = None) -> None:
    line = {"verb": verb, "what": what, "date": str(business_date), "run_id": run_id, "with": with_}
    with (HOME / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(line) + "\n")


def _asked(failure: str) -> bool:
    return (HOME / "fail" / failure).exists()


def _asked_once(failure: str) -> bool:
    try:
        (HOME / "fail" / failure).unlink()
    except FileNotFoundError:
        return False
    return True
