"""Handing packages over, and asking for the receipts of those handed over before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import LiteralString

from credit_warehouse.connections import Endpoint
from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.feedback.address import load_addresses
from credit_warehouse.feedback.building import package_on_disk
from credit_warehouse.feedback.channels import SEND, FeedbackRefused, Handover


@dataclass
class Sent:
    """Package numbers by what came of them tonight. ``waiting`` and ``refused`` are sent again the next night;
    ``delivered`` has no receipt yet. ``reason``: why something waits or was refused."""

    acknowledged: list[str] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    reason: str | None = None


def send(source: str, business_date: date, endpoint: Endpoint) -> Sent:
    """Send every package of the source up to the night that has no receipt, oldest first. A channel that is down is no
    error: it costs its own department only, and what waits is in the ledger."""
    address = load_addresses()[source]
    sent = Sent()
    for package_id, package_no in _open_packages(source, business_date):
        if sent.waiting:
            sent.waiting.append(package_no)
            continue
        try:
            with connect() as connection:
                package = package_on_disk(connection, package_id)
            handover = SEND[address.protocol](package, address, endpoint)
        except SourceUnavailable as error:
            sent.waiting.append(package_no)
            sent.reason = str(error)
            _failed(package_id, sent.reason)
        except FeedbackRefused as refusal:
            sent.refused.append(package_no)
            sent.reason = str(refusal)
            _failed(package_id, sent.reason)
        else:
            _handed_over(package_id, handover)
            (sent.acknowledged if handover.receipt_no else sent.delivered).append(package_no)
            if handover.receipt_no:
                # It holds persons' data, and can be written again from the quarantine.
                package.remove()
    return sent


def _open_packages(source: str, business_date: date) -> list[tuple[int, str]]:
    with connect() as connection:
        return connection.execute(
            "select package_id, package_no from ops.feedback_package where source = %s and business_date <= %s"
            " and state <> 'acknowledged' order by business_date, number",
            [source, business_date],
        ).fetchall()


def _failed(package_id: int, message: str) -> None:
    """One that is with the department already, and whose receipt could not be asked for, stays delivered."""
    _record(
        "state = case state when 'delivered' then state else 'failed' end, message = %(message)s",
        {"package": package_id, "message": message},
    )


def _handed_over(package_id: int, handover: Handover) -> None:
    _record(
        "state = case when %(receipt)s::text is null then 'delivered' else 'acknowledged' end, location = %(location)s,"
        " receipt_no = %(receipt)s, message = null, delivered_at = coalesce(delivered_at, clock_timestamp()),"
        " acknowledged_at = case when %(receipt)s::text is not null then clock_timestamp() end",
        {"package": package_id, "receipt": handover.receipt_no, "location": handover.location},
    )


def _record(changes: LiteralString, parameters: dict[str, object]) -> None:
    with connect() as connection:
        connection.execute(
            f"update ops.feedback_package set attempts = attempts + 1, {changes} where package_id = %(package)s",
            parameters,
        )
