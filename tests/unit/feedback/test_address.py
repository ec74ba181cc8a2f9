"""Feedback goes to the department that delivered, or nowhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from credit_warehouse.contracts import ContractError, load_contracts
from credit_warehouse.feedback.address import FILE, load_addresses
from credit_warehouse.settings import get_settings

Addresses = dict[str, dict[str, str]]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[Addresses], object]], Path]:
    """The project's contracts with another ``feedback.yaml``."""

    def change(how: Callable[[Addresses], object]) -> Path:
        folder = tmp_path / "contracts"
        shutil.copytree(get_settings().contracts_dir, folder)
        addresses = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
        how(addresses)
        (folder / FILE).write_text(yaml.safe_dump(addresses), encoding="utf-8")
        return folder

    return change


def test_every_department_has_an_address() -> None:
    assert set(load_addresses()) == {contract.source for contract in load_contracts().values()}


def test_a_source_without_an_address_is_an_error(changed: Callable[..., Path]) -> None:
    with pytest.raises(ContractError, match="tax has no address"):
        load_addresses(changed(lambda addresses: addresses.pop("tax")))


def test_another_departments_address_is_an_error(changed: Callable[..., Path]) -> None:
    with pytest.raises(ContractError, match="only a deliverer may see its rows"):
        load_addresses(changed(lambda addresses: addresses["tax"].update(department="court")))


def test_an_unknown_word_is_an_error(changed: Callable[..., Path]) -> None:
    with pytest.raises(ContractError, match="protocol"):
        load_addresses(changed(lambda addresses: addresses["tax"].update(protocol="fax")))
