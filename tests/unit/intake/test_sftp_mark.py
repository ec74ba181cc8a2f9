"""The mark by which a file already taken is known again."""

from __future__ import annotations

import time

import paramiko

from credit_warehouse.intake.sources.sftp import SETTLING_SECONDS, _mark


def attributes(size: int, age_seconds: float) -> paramiko.SFTPAttributes:
    found = paramiko.SFTPAttributes()
    found.st_size = size
    found.st_mtime = int(time.time() - age_seconds)
    return found


def test_size_time_and_receipt_tell_deliveries_apart() -> None:
    old = attributes(10, 3600)
    same = attributes(10, 3600)
    same.st_mtime = old.st_mtime
    assert _mark(old, b"a") == _mark(same, b"a") is not None
    assert _mark(old, b"b") != _mark(old, b"a")
    assert _mark(attributes(11, 3600), b"a") != _mark(old, b"a")
    assert _mark(attributes(10, 7200), b"a") != _mark(old, b"a")


def test_a_file_written_just_now_has_no_mark_yet() -> None:
    assert _mark(attributes(10, 0), None) is None
    assert _mark(attributes(10, -30), None) is None, "a clock that is ahead"
    assert _mark(attributes(10, SETTLING_SECONDS + 5), None) is not None
