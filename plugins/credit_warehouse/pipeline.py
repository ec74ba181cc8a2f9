"""The verbs of a night, in order, as the DAGs call them. Each is idempotent and leaves an outcome row however it ends."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from credit_warehouse import publication
from credit_warehouse.feedback.verbs import return_feedback
from credit_warehouse.intake.verbs import gate, load, pull, settle, unanswered
from credit_warehouse.outcomes import step
from credit_warehouse.quality import GateFailed
from credit_warehouse.settings import get_settings

if TYPE_CHECKING:
    from credit_warehouse.connections import Endpoint
    from credit_warehouse.matching.proposing import Proposal
    from credit_warehouse.transform.run import Layer
    from credit_warehouse.upward.exchanging import Exchanged

__all__ = [
    "GateFailed",
    "build",
    "discard",
    "exchange_build",
    "exchange_send",
    "gate",
    "gate_publication",
    "load",
    "load_all",
    "open_candidate",
    "propose_matches",
    "publish",
    "pull",
    "return_feedback",
    "settle",
    "unanswered",
    "write_bulletins",
]


class LoadFailed(Exception):
    """Something of ours broke while loading; the message names every feed it broke for."""


def load_all(feeds: Sequence[str], business_date: date, run_id: str | None = None) -> dict[str, list[int]]:
    """Load the landed batches of several feeds; what breaks for one does not keep the others out. Batches by feed.

    Raises:
        psycopg.OperationalError: the database is gone; a second try may find it.
        LoadFailed: at least one feed could not be loaded for another reason.
    """
    loaded: dict[str, list[int]] = {}
    failures: list[tuple[str, Exception]] = []
    for feed in feeds:
        try:
            loaded[feed] = load(feed, business_date, run_id)
        except psycopg.OperationalError:
            raise
        except Exception as error:
            failures.append((feed, error))
    if failures:
        told = "；".join(f"{feed}：{type(error).__name__} {error}" for feed, error in failures)
        raise LoadFailed(f"装载失败：{told}") from failures[0][1]
    return loaded


def open_candidate(business_date: date, run_id: str | None = None, full_refresh: bool = False) -> int | None:
    """Open the next candidate publication; none when nothing changed since the last one."""
    with step("open_candidate", business_date, run_id=run_id) as outcome:
        candidate = publication.open_candidate(business_date, run_id, full_refresh)
        if candidate is None:
            outcome.state, outcome.message = "unchanged", "自上次发布以来没有变化，无需发布"
            return None
        outcome.publication_id = candidate.publication_id
        outcome.message = f"候选批次 {candidate.publication_id}，纳入 {candidate.batches} 个新批次"
        return candidate.publication_id


def build(layer: Layer, publication_id: int, run_id: str | None = None) -> None:
    """Build one dbt layer (``core`` or ``marts``) for the candidate.

    Raises:
        credit_warehouse.transform.run.BuildFailed: a model or a test failed; the message names it.
    """
    from credit_warehouse.transform.run import dbt_build

    candidate = publication.candidate_of(publication_id)
    with step(
        f"build_{layer}", candidate.business_date, publication_id=publication_id, run_id=run_id
    ) as outcome:
        result = dbt_build(layer, publication_id, candidate.business_date, candidate.is_full_refresh)
        outcome.detail = {"nodes": result.nodes, "seconds": round(result.seconds, 2)}


def gate_publication(publication_id: int, run_id: str | None = None) -> None:
    """Gate 2 on the candidate.

    Raises:
        credit_warehouse.quality.GateFailed: a blocking expectation failed without a waiver; the message says what to do.
    """
    from credit_warehouse import quality

    candidate = publication.candidate_of(publication_id)
    with step(
        "gate_publication", candidate.business_date, publication_id=publication_id, run_id=run_id
    ) as outcome:
        report = quality.gate_publication(publication_id, candidate.business_date)
        outcome.message = report.message


def publish(publication_id: int, run_id: str | None = None) -> None:
    """Flip the pointer to the candidate."""
    day = publication.describe(publication_id).business_date
    with step("publish", day, publication_id=publication_id, run_id=run_id):
        publication.publish(publication_id, run_id or "manual")


def propose_matches(business_date: date, run_id: str | None = None) -> Proposal:
    """Candidates for records that name nobody, for a person to decide about. Publishes nothing, links nothing."""
    from credit_warehouse.matching.proposing import propose

    with step("propose_matches", business_date, run_id=run_id) as outcome:
        found = propose(business_date, get_settings())
        outcome.state = "succeeded" if found.batches else "unchanged"
        outcome.message = f"比对 {found.records} 条记录，待审候选 {found.candidates} 个"
        outcome.detail = asdict(found)
        return found


def discard(publication_id: int, reason: str, run_id: str | None = None) -> None:
    """Undo the candidate; the last publication stays what readers see."""
    day = publication.describe(publication_id).business_date
    with step("discard", day, publication_id=publication_id, run_id=run_id) as outcome:
        outcome.message = reason
        publication.discard(publication_id, reason)


def exchange_build(
    business_date: date, run_id: str | None = None, removals_only: bool = False, retry: bool = False
) -> str | None:
    """Build the next package for the provincial platform from the current publication. Its name, or none when it holds
    what it should."""
    from credit_warehouse.upward import exchanging

    with step("exchange_build", business_date, run_id=run_id) as outcome:
        package = exchanging.prepare(get_settings(), removals_only, retry)
        if package is None:
            outcome.state, outcome.message = "unchanged", "上级平台所持与应报一致，无需组包"
            return None
        outcome.publication_id = package.publication_id
        outcome.message = f"交换包 {package.name}，{package.rows} 行"
        outcome.detail = {"package": package.name, "rows": package.rows}
        return package.name


def exchange_send(
    business_date: date, endpoint: Endpoint, run_id: str | None = None, wait_seconds: float | None = None
) -> Exchanged:
    """Upload what is built and take receipts in; those that come later are taken in by the next call.

    Raises:
        SourceUnavailable: the platform cannot be reached, or uploads arrive damaged; worth another try later.
    """
    from credit_warehouse.upward import exchanging
    from credit_warehouse.upward.transport import sftp_inbox

    settings = get_settings()
    wait = settings.upward_receipt_seconds if wait_seconds is None else wait_seconds
    with step("exchange_send", business_date, run_id=run_id) as outcome:
        done = exchanging.send(settings, lambda: sftp_inbox(endpoint), wait)
        if not (done.sent or done.answered or done.waiting):
            outcome.state = "unchanged"
        outcome.message = "；".join(done.problems) or None
        outcome.detail = asdict(done)
        return done


def write_bulletins(business_date: date, run_id: str | None = None) -> list[Path]:
    """The bulletins of the night's month and of the one before, from the current publication. A month nobody delivered
    anything for has none."""
    from credit_warehouse import bulletin
    from credit_warehouse.bulletin.figures import NoFigures, month_before

    month = business_date.replace(day=1)
    pages = []
    with step("bulletin", business_date, run_id=run_id) as outcome:
        for told in (month_before(month), month):
            with suppress(NoFigures):
                pages.append(bulletin.write(told))
        outcome.state = "succeeded" if pages else "unchanged"
        outcome.message = f"已生成通报：{'、'.join(page.name for page in pages) or '无'}"
        return pages


def run_publication(business_date: date, run_id: str | None = None, full_refresh: bool = False) -> int | None:
    """The publication DAG in one call, for a shell: candidate, build, gate, flip. Returns the number now published,
    or none when nothing changed.

    Raises:
        credit_warehouse.transform.run.BuildFailed, credit_warehouse.quality.GateFailed: the candidate is discarded, what
            readers see is untouched.
    """
    candidate = open_candidate(business_date, run_id, full_refresh)
    if candidate is None:
        return None
    try:
        build("core", candidate, run_id)
        build("marts", candidate, run_id)
        gate_publication(candidate, run_id)
    except BaseException as error:
        discard(candidate, f"{type(error).__name__}: {error}", run_id)
        raise
    publish(candidate, run_id)
    return candidate
