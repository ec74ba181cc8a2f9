"""The platform's answer to a package, read with distrust."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from credit_warehouse.upward.ledger import Package


class ReceiptUnusable(ValueError):
    """The receipt says nothing about this package that can be relied on; the message says why, in Chinese."""


class Refused(BaseModel):
    """One row the platform did not take."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    record_key: UUID
    reason: str = Field(min_length=1)


class Receipt(BaseModel):
    """``<package>.receipt.json``. ``sha256`` is of the file as it arrived; ``unreadable`` = nothing of it was taken in."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    package: str
    sha256: str
    state: Literal["processed", "unreadable"]
    accepted: int = Field(ge=0)
    rejected: tuple[Refused, ...] = ()


def read(content: bytes, package: Package) -> Receipt:
    """The receipt of ``package``.

    Raises:
        ReceiptUnusable: damaged, for another package, or not adding up. The package goes on waiting for a right one.
    """
    try:
        receipt = Receipt.model_validate_json(content)
    except ValidationError as error:
        raise ReceiptUnusable(
            f"交换包 {package.name} 的回执无法读取（{error.error_count()} 处不符），请平台重新出具"
        ) from error
    if receipt.package != package.name:
        raise ReceiptUnusable(f"交换包 {package.name} 的回执写的是 {receipt.package}，请平台重新出具")
    if receipt.state == "unreadable":
        return receipt
    if receipt.sha256 != package.sha256:
        raise ReceiptUnusable(f"交换包 {package.name} 的回执所述文件校验值与我方不符，却称已处理，请平台核对")
    told = receipt.accepted + len(receipt.rejected)
    if told != package.rows or len({row.record_key for row in receipt.rejected}) != len(receipt.rejected):
        raise ReceiptUnusable(
            f"交换包 {package.name} 共 {package.rows} 行，回执合计 {told} 行或有重复，请平台核对"
        )
    return receipt
