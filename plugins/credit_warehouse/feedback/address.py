"""Where a department takes its feedback: ``contracts/feedback.yaml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import TypeAdapter, ValidationError

from credit_warehouse.contracts import ContractError, FeedContract, load_contracts
from credit_warehouse.contracts.model import Terms
from credit_warehouse.settings import get_settings

FILE = "feedback.yaml"


class Address(Terms):
    """One department's. Nothing of a feed goes to any department but the one that delivered it."""

    department: str
    connection: str
    protocol: Literal["sftp", "rest", "exchange"]
    path: str


_Addresses = TypeAdapter(dict[str, Address])


def load_addresses(folder: Path | None = None) -> dict[str, Address]:
    """The address of every source.

    Raises:
        ContractError: a source has none, or it is another department's than its feeds'.
    """
    return _load(folder or get_settings().contracts_dir)


@lru_cache(maxsize=4)
def _load(folder: Path) -> dict[str, Address]:
    path = folder / FILE
    try:
        addresses = _Addresses.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{FILE}: {error}") from error
    for contract in load_contracts(folder).values():
        _check(contract, addresses)
    return addresses


def _check(contract: FeedContract, addresses: dict[str, Address]) -> None:
    address = addresses.get(contract.source)
    if address is None:
        raise ContractError(f"{FILE}: {contract.source} has no address, so {contract.feed} gets no feedback")
    if address.department != contract.terms.department.code:
        raise ContractError(
            f"{FILE}: {contract.source} is {address.department}'s, but {contract.feed} is delivered by"
            f" {contract.terms.department.code}, and only a deliverer may see its rows"
        )
