"""Uploading packages and taking receipts in. Each step may be repeated, after a kill at any point."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.archive import sha256_of
from credit_warehouse.settings import Settings
from credit_warehouse.upward import ledger, receipt
from credit_warehouse.upward.building import build, package_path
from credit_warehouse.upward.ledger import Package
from credit_warehouse.upward.receipt import ReceiptUnusable
from credit_warehouse.upward.transport import Inbox

OpenInbox = Callable[[], AbstractContextManager[Inbox]]

UPLOADS = 3
"""Uploads of one package in one run, before the connection counts as bad and the run is tried again later."""

_POLL_SECONDS = 0.5


@dataclass
class Exchanged:
    """What one run did, by package name. ``problems``: receipts that cannot be used, in Chinese."""

    built: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def prepare(settings: Settings, removals_only: bool = False, retry: bool = False) -> Package | None:
    """Build the next package (see :func:`.building.build`), after giving up what must not leave any more.

    Raises:
        ExchangeBusy: another run exchanges.
    """
    with ledger.alone(settings.upward_platform):
        drop_stale(settings.upward_platform)
        return build(settings, removals_only, retry)


def send(settings: Settings, open_inbox: OpenInbox, wait_seconds: float) -> Exchanged:
    """Upload what is built, in the order of the numbers, and wait a while for receipts.

    A package holding a row that may no longer be shared is given up before it leaves, and another is built.

    Raises:
        SourceUnavailable: no connection, or uploads arrive damaged; go on later, from where it stopped.
        ExchangeBusy: another run exchanges.
    """
    platform, done = settings.upward_platform, Exchanged()
    with ledger.alone(platform), open_inbox() as inbox:
        _collect(platform, inbox, done)
        deadline = time.monotonic() + wait_seconds
        uploads: dict[str, int] = {}
        while True:
            if drop_stale(platform) and (fresh := build(settings)):
                done.built.append(fresh.name)
            for package in ledger.open_packages(platform, "built"):
                uploads[package.name] = uploads.get(package.name, 0) + 1
                if uploads[package.name] > UPLOADS:
                    raise SourceUnavailable(
                        f"交换包 {package.name} 上传 {UPLOADS} 次均在途中损坏，请检查网络"
                    )
                _upload(settings, inbox, package, done)
            done.waiting, done.problems = [], []
            _collect(platform, inbox, done)
            is_over = not done.waiting or time.monotonic() >= deadline
            if is_over and not ledger.open_packages(platform, "built"):
                return done
            if not is_over:
                time.sleep(_POLL_SECONDS)


def collect(settings: Settings, open_inbox: OpenInbox) -> Exchanged:
    """Take in the receipts that have come since. Raises as :func:`send`."""
    done = Exchanged()
    with ledger.alone(settings.upward_platform), open_inbox() as inbox:
        _collect(settings.upward_platform, inbox, done)
    return done


def drop_stale(platform: str) -> bool:
    """Give up packages that have not arrived and hold what may no longer be shared. Whether there were any."""
    stale = [package for package in ledger.open_packages(platform, "built") if ledger.is_stale(package)]
    for package in stale:
        ledger.give_up(package, "发出前包内有记录被撤回、修复、更正或到期，本包作废，其余记录另行组包")
    return bool(stale)


def abandon(settings: Settings, number: int, reason: str) -> None:
    """Give up a package whose receipt never comes; its rows go again, or are called back, in the next one.

    Raises:
        UnknownPackage: there is none with this number, or it is closed.
        ExchangeBusy: another run exchanges.
    """
    with ledger.alone(settings.upward_platform):
        ledger.give_up(ledger.find(settings.upward_platform, number), reason)


def _upload(settings: Settings, inbox: Inbox, package: Package, done: Exchanged) -> None:
    path = package_path(settings, package.platform, package.name)
    if not path.exists() or sha256_of(path) != package.sha256:
        ledger.give_up(package, "本地交换包文件缺失或已改变，本包作废，其记录另行组包")
        return
    # Killed after the upload and before it was noted: it is there. One that arrived damaged has been noted as sent before.
    is_noted = package.attempted_at is None or package.sent_at is not None
    arrived = not is_noted and (inbox.holds(path.name) or inbox.receipt(package.name) is not None)
    if not arrived:
        ledger.attempted(package)
        inbox.deliver(path, path.name)
    ledger.sent(package)
    done.sent.append(package.name)


def _collect(platform: str, inbox: Inbox, done: Exchanged) -> None:
    for package in ledger.open_packages(platform, "sent"):
        content = inbox.receipt(package.name)
        if content is None:
            done.waiting.append(package.name)
            continue
        try:
            _answer(package, receipt.read(content, package), done)
        except ReceiptUnusable as problem:
            ledger.note(package, str(problem))
            done.problems.append(str(problem))
            done.waiting.append(package.name)


def _answer(package: Package, told: receipt.Receipt, done: Exchanged) -> None:
    if told.state == "unreadable" and ledger.overtaken(package):
        # Uploaded again it would arrive after what came later.
        ledger.give_up(package, "平台收到的文件已损坏，且后续交换包已发出，本包作废，其记录另行组包")
    elif told.state == "unreadable":
        ledger.set_back(package, "平台收到的文件已损坏，将重新上传同一文件")
    elif not ledger.answer(package, told):
        raise ReceiptUnusable(f"交换包 {package.name} 的回执含有包内没有的记录，请平台核对")
    else:
        done.answered.append(package.name)
