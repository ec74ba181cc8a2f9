"""The verbs of a night, in order, as the DAGs call them. Each is idempotent and leaves an outcome row however it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from credit_warehouse import publication
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import alone
from credit_warehouse.feedback.verbs import return_feedback
from credit_warehouse.intake.verbs import gate, load, pull, settle, unanswered
from credit_warehouse.outcomes import step
from credit_warehouse.quality import GateFailed
from credit_warehouse.settings import get_settings
from credit_warehouse.troubles import advise, explain

if TYPE_CHECKING:
    from credit_warehouse.connections import Endpoint
    from credit_warehouse.history.prune import Pruned
    from credit_warehouse.matching.proposing import Proposal
    from credit_warehouse.transform.run import Layer
    from credit_warehouse.upward.exchanging import Exchanged

__all__ = [
    "FeedsFailed",
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
    "prune_history",
    "publish",
    "pull",
    "pull_all",
    "return_feedback",
    "settle",
    "unanswered",
    "write_bulletins",
]


class FeedsFailed(Exception):
    """A step went wrong for some feeds of a source; the message names every one and why."""


def pull_all(
    endpoints: Mapping[str, Endpoint], business_date: date, run_id: str | None = None
) -> dict[str, list[int]]:
    """Pull several feeds, each from its endpoint, a few at a time: mostly it is waiting for the department. What fails for
    one does not keep the others out. New batches by feed.

    Raises:
        FeedsFailed: at least one feed could not be pulled; worth another try later, which lands nothing twice.
    """
    with ThreadPoolExecutor(get_settings().pull_connections) as pool:
        pulls = {
            feed: pool.submit(pull, feed, business_date, endpoint, run_id)
            for feed, endpoint in endpoints.items()
        }
    failures = {feed: error for feed, pulled in pulls.items() if (error := pulled.exception())}
    if failures:
        raise _feeds_failed("取数失败", failures)
    return {feed: pulled.result() for feed, pulled in pulls.items()}


def load_all(feeds: Sequence[str], business_date: date, run_id: str | None = None) -> dict[str, list[int]]:
    """Load the landed batches of several feeds; what breaks for one does not keep the others out. Batches by feed.

    Raises:
        psycopg.OperationalError: the database is gone; a second try may find it.
        FeedsFailed: at least one feed could not be loaded for another reason.
    """
    loaded: dict[str, list[int]] = {}
    failures: dict[str, BaseException] = {}
    for feed in feeds:
        try:
            loaded[feed] = load(feed, business_date, run_id)
        except psycopg.OperationalError as error:
            advise(error)
            raise
        except Exception as error:
            failures[feed] = error
    if failures:
        raise _feeds_failed("装载失败", failures)
    return loaded


def _feeds_failed(what: str, failures: Mapping[str, BaseException]) -> FeedsFailed:
    labels = {feed: contract.label for feed, contract in load_contracts().items()}
    told = "；".join(f"{labels[feed]}（{feed}）：{explain(error)}" for feed, error in failures.items())
    failed = FeedsFailed(f"{what}：{told}")
    failed.__cause__ = next(iter(failures.values()))
    return failed


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
        credit_warehouse.publication.PublicationError: another run has taken over and discarded the candidate.
    """
    from credit_warehouse.transform.run import BuildFailed, dbt_build

    candidate = publication.candidate_of(publication_id)
    with step(
        f"build_{layer}", candidate.business_date, publication_id=publication_id, run_id=run_id
    ) as outcome:
        # Two builds at once would write each other's affected sets and results.
        with alone("build"):
            publication.candidate_of(publication_id)  # another run may have taken over while this one waited
            try:
                result = dbt_build(layer, publication_id, candidate.business_date, candidate.is_full_refresh)
            except BuildFailed:
                publication.candidate_of(publication_id)  # or while dbt ran: then that is why it failed
                raise
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


def prune_history(as_of: date | None = None, run_id: str | None = None) -> Pruned | None:
    """Archive the publications that no rule keeps on a business date (default: the newest night). None before the first.

    Raises:
        credit_warehouse.history.prune.HistoryError: the pointer moved onto one of them meanwhile; run it again.
    """
    from credit_warehouse.history.prune import newest_night, prune

    as_of = as_of or newest_night()
    if as_of is None:
        return None
    with step("prune_history", as_of, run_id=run_id) as outcome:
        done = prune(as_of)
        outcome.state = "succeeded" if done.publications or done.expired else "unchanged"
        outcome.message = (
            f"归档 {done.publications} 个发布批次，移出 {done.rows} 行，删除过期归档 {done.expired} 个"
        )
        outcome.detail = asdict(done)
        return done


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
    """The leaders' page, and the bulletins of the night's month and of the one before, from the current publication. A
    month nobody delivered anything for has none.

    Raises:
        credit_warehouse.bulletin.printing.PrintFailed: a page could not be printed; the pages up to it are written.
    """
    from credit_warehouse import bulletin
    from credit_warehouse.bulletin.figures import NoFigures, month_before
    from credit_warehouse.bulletin.printing import browser

    month = business_date.replace(day=1)
    pages = []
    with step("bulletin", business_date, run_id=run_id) as outcome:
        with suppress(NoFigures):
            pages.append(bulletin.write_overview())
        for told in (month_before(month), month):
            with suppress(NoFigures):
                pages.append(bulletin.write(told))
        outcome.state = "succeeded" if pages else "unchanged"
        written = f"已生成：{'、'.join(page.name for page in pages) or '无'}"
        outcome.message = written if browser() else f"{written}（本机没有 Chromium，未打印 PDF）"
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
