"""A receipt counts only if everything in it fits the package."""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import Any

import pytest

from credit_warehouse.upward import receipt
from credit_warehouse.upward.ledger import Package
from credit_warehouse.upward.receipt import ReceiptUnusable

DIGEST = "a" * 64
PACKAGE = Package(1, "province", 7, "441300-000007", date(2026, 3, 2), 1, 3, DIGEST, "sent", None, None)
ROW = {"record_key": str(uuid.UUID(int=1)), "reason": "机关未登记"}
GOOD: dict[str, Any] = {
    "package": PACKAGE.name,
    "sha256": DIGEST,
    "state": "processed",
    "accepted": 2,
    "rejected": [ROW],
}


def told(**changed: Any) -> bytes:
    return json.dumps(GOOD | changed).encode()


def test_a_right_receipt_is_taken() -> None:
    found = receipt.read(told(issued_by="platform"), PACKAGE)
    assert (found.accepted, [row.reason for row in found.rejected]) == (2, ["机关未登记"])


def test_an_unreadable_package_was_another_file() -> None:
    told_of = told(state="unreadable", sha256="b" * 64, accepted=0, rejected=[])
    assert receipt.read(told_of, PACKAGE).state == "unreadable"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "无法读取"),
        (told()[:40], "无法读取"),
        (b"[]", "无法读取"),
        (told(state="maybe"), "无法读取"),
        (told(rejected=[{"record_key": "x", "reason": "y"}]), "无法读取"),
        (told(rejected=[ROW | {"reason": ""}]), "无法读取"),
        (told(package="441300-000006"), "写的是 441300-000006"),
        (told(sha256="b" * 64), "校验值与我方不符"),
        (told(accepted=3), "回执合计 4 行"),
        (told(accepted=1, rejected=[ROW, ROW]), "有重复"),
    ],
)
def test_anything_else_says_what_is_wrong(content: bytes, said: str) -> None:
    with pytest.raises(ReceiptUnusable, match=said):
        receipt.read(content, PACKAGE)
