"""The step of a night that gives back to a department what it must correct. May run any number of times."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from credit_warehouse.connections import Endpoint
from credit_warehouse.database import alone
from credit_warehouse.feedback.building import build
from credit_warehouse.feedback.sending import Sent, send
from credit_warehouse.outcomes import step


def return_feedback(source: str, business_date: date, endpoint: Endpoint, run_id: str | None = None) -> Sent:
    """Build what is new, send what has no receipt yet. A department that is down or refuses leaves the outcome ``late``
    or ``refused`` and no exception: its packages are sent again the next night.

    Raises:
        psycopg.Error: the warehouse failed; trying again is safe.
    """
    with step("feedback", business_date, source=source, run_id=run_id) as outcome, alone("feedback", source):
        built = build(source, business_date)
        sent = send(source, business_date, endpoint)
        outcome.detail = {"built": built, **asdict(sent)}
        if sent.waiting:
            outcome.state = "late"
            outcome.message = f"反馈单 {'、'.join(sent.waiting)} 未能送达，下一晚再送：{sent.reason}"
        elif sent.refused:
            outcome.state = "refused"
            outcome.message = f"反馈单 {'、'.join(sent.refused)} 被拒收，下一晚再送：{sent.reason}"
        elif sent.acknowledged or sent.delivered:
            outcome.message = f"已回执 {len(sent.acknowledged)} 份，已送达待回执 {len(sent.delivered)} 份"
        else:
            outcome.state, outcome.message = "unchanged", "没有需要反馈的内容"
        return sent
