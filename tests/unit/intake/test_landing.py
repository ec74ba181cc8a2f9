"""A landed file is on the disk before anybody is told of it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit_warehouse.contracts import FeedContract
from credit_warehouse.intake.landing import land
from credit_warehouse.settings import Settings


def test_content_and_place_are_on_disk_when_it_has_landed(
    debtor: FeedContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}")).name))
        sync(handle)

    def replaced(source: Any, target: Any) -> None:
        done.append(("place", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    arrived = tmp_path / "arrived"
    arrived.write_bytes(b"rows")
    landed = land(
        Settings(home=tmp_path), debtor, arrived, name="x.zip", delivery_id="x", delivered_for=date(2026, 3, 2),
        watermark=None, receipt=b"digest",
    )  # fmt: skip
    name = Path(landed.landed_path).name
    for place in (name, name + ".sha256"):
        at = done.index(("place", place))
        assert done[at - 1][0] == "sync", "its content first"
        assert done[at + 1] == ("sync", "20260302"), "then its name in the folder"
