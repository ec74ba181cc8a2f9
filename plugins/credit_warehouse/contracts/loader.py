"""Reading contract files from disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from credit_warehouse.contracts.model import FeedContract, FeedTerms, Field, FieldTerms, FieldType
from credit_warehouse.settings import get_settings


class ContractError(ValueError):
    """A contract file that cannot be used; the message names the file and what to change."""


def load_contract(path: Path) -> FeedContract:
    """The contract in one file.

    Raises:
        ContractError: not YAML, or not what the models of :mod:`credit_warehouse.contracts.model` allow.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
        contract = _contract(document)
    except (yaml.YAMLError, ValidationError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ContractError(f"{path.parent.name}/{path.name}: {error}") from error
    if contract.feed != f"{path.parent.name}.{path.stem}":
        raise ContractError(f"{path}: id {contract.feed!r} must be <folder>.<file name>")
    return contract


def load_contracts(folder: Path | None = None) -> dict[str, FeedContract]:
    """All contracts below ``folder`` (default: the project's), by feed id, in a stable order."""
    return dict(_load_all(folder or get_settings().contracts_dir))


@lru_cache(maxsize=4)
def _load_all(folder: Path) -> tuple[tuple[str, FeedContract], ...]:
    contracts = [load_contract(path) for path in sorted(folder.glob("*/*.yaml"))]
    return tuple((contract.feed, contract) for contract in contracts)


# The C loader is ten times faster, and DAG files load every contract.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _contract(document: dict[str, Any]) -> FeedContract:
    (schema,) = document["schema"]
    return FeedContract(
        feed=document["id"],
        label=document["name"],
        version=document["version"],
        description=document["description"]["purpose"],
        fields=tuple(_field(entry) for entry in schema["properties"]),
        terms=FeedTerms.model_validate(_custom(document)),
    )


def _field(entry: dict[str, Any]) -> Field:
    options = entry.get("logicalTypeOptions", {})
    return Field(
        name=entry["name"],
        header=entry.get("physicalName", entry["name"]),
        label=entry["businessName"],
        description=entry["description"],
        type=FieldType(entry["logicalType"]),
        required=entry.get("required", False),
        key_position=entry["primaryKeyPosition"] if entry.get("primaryKey") else None,
        enum=tuple(item["value"] for item in entry.get("enum", ())),
        pattern=options.get("pattern"),
        max_length=options.get("maxLength"),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        terms=FieldTerms.model_validate(_custom(entry)),
    )


def _custom(element: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in element.get("customProperties", ())}
