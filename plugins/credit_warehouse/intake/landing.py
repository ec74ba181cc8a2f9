"""The landing area: files exactly as departments delivered them, never changed again."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

from credit_warehouse.contracts import FeedContract
from credit_warehouse.intake.archive import sha256_of
from credit_warehouse.intake.ledger import Landed
from credit_warehouse.settings import Settings


def land(
    settings: Settings,
    contract: FeedContract,
    arrived: Path,
    *,
    name: str,
    delivery_id: str,
    delivered_for: date,
    watermark: str | None,
    receipt: bytes | None = None,
) -> Landed:
    """Move an arrived file (complete, in scratch) into landing, read-only, with its receipt beside it.

    The place follows from content and name, so that landing twice is landing once.
    """
    digest = sha256_of(arrived)
    safe_name = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[-120:]
    receipt_digest = hashlib.sha256(receipt).hexdigest() if receipt is not None else ""
    # A corrected receipt is a new delivery of the same bytes: neither may overwrite the other.
    place = f"{digest[:16]}{receipt_digest[:8]}_{safe_name}"
    relative = Path(contract.feed) / f"{delivered_for:%Y%m%d}" / place
    target = settings.landing_dir / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    size = arrived.stat().st_size
    if receipt is not None:
        _write(target.with_name(target.name + ".sha256"), receipt)
    os.chmod(arrived, 0o440)
    _put(arrived, target)
    return Landed(
        delivery_id=delivery_id,
        delivered_for=delivered_for,
        sha256=digest,
        landed_path=relative.as_posix(),
        bytes=size,
        watermark=watermark,
        receipt_sha256=receipt_digest,
    )


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + f".{os.getpid()}.tmp")
    temporary.write_bytes(content)
    _put(temporary, path)


def _put(file: Path, place: Path) -> None:
    """Move it there for good: the ledger, which survives a power cut, must not name a file that did not."""
    _sync(file)
    os.replace(file, place)
    _sync(place.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
