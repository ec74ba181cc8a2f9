"""Reading contract files from disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from credit_warehouse.catalogue import Catalogue, load_catalogue
from credit_warehouse.cities import City, load_city
from credit_warehouse.contracts.admission import admit
from credit_warehouse.contracts.model import FeedContract, FeedTerms, Field, FieldTerms, FieldType
from credit_warehouse.settings import get_settings


class ContractError(ValueError):
    """A contract file that cannot be used; the message names the file and what to change."""


def load_contract(path: Path, catalogue: Catalogue | None = None, city: City | None = None) -> FeedContract:
    """The contract in one file, under the catalogue (default: the project's), in a city (default: the office's).

    Raises:
        ContractError: not YAML, not what the models of :mod:`credit_warehouse.contracts.model` allow, or not what
            the catalogue allows to be collected.
        CatalogueError, CityError: the catalogue or the city's file itself cannot be used.
    """
    catalogue, city = catalogue or load_catalogue(), city or load_city()
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
        contract = _contract(document, catalogue, city)
        admit(contract, catalogue)
    except (yaml.YAMLError, ValidationError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ContractError(f"{path.parent.name}/{path.name}: {error}") from error
    if contract.feed != f"{path.parent.name}.{path.stem}":
        raise ContractError(f"{path}: id {contract.feed!r} must be <folder>.<file name>")
    return contract


def load_contracts(folder: Path | None = None) -> dict[str, FeedContract]:
    """All contracts below ``folder`` (default: the project's), by feed id, in a stable order."""
    return dict(_load_all(folder or get_settings().contracts_dir, load_city().code))


@lru_cache(maxsize=4)
def _load_all(folder: Path, city_code: str) -> tuple[tuple[str, FeedContract], ...]:
    city = load_city(city_code)
    loaded = [load_contract(path, city=city) for path in sorted(folder.glob("*/*.yaml"))]
    contracts = {contract.feed: contract for contract in loaded}
    for contract in contracts.values():
        _find_target(contract, contracts)
        _find_twin(contract, contracts)
    return tuple(contracts.items())


def _find_target(contract: FeedContract, contracts: dict[str, FeedContract]) -> None:
    """A feed of changes must name the records it speaks of by their whole natural key."""
    if contract.terms.change is None:
        return
    target = contracts.get(contract.terms.change.target)
    if target is None or target.terms.record is None:
        raise ContractError(f"{contract.feed}: target {contract.terms.change.target} is no feed of records")
    own = {field.name for field in contract.fields}
    needed = set(target.natural_key)
    if target.terms.subject.in_natural_key:
        needed |= set(target.terms.subject.identifiers)
    if needed - own:
        raise ContractError(
            f"{contract.feed}: lacks {', '.join(sorted(needed - own))} of {target.feed}'s key"
        )


def _find_twin(contract: FeedContract, contracts: dict[str, FeedContract]) -> None:
    """Two generations of one item make one record only if they name it alike."""
    if contract.terms.record_as is None:
        return
    twin = contracts.get(contract.terms.record_as)
    if twin is None or twin.terms.record is None:
        raise ContractError(f"{contract.feed}: recordAs {contract.terms.record_as} is no feed of records")
    if (
        contract.natural_key != twin.natural_key
        or contract.terms.unnumbered_key != twin.terms.unnumbered_key
        or contract.terms.catalogue_item != twin.terms.catalogue_item
        or contract.terms.subject.in_natural_key != twin.terms.subject.in_natural_key
    ):
        raise ContractError(
            f"{contract.feed}: natural key and catalogue item must be those of {twin.feed}, as whose records it counts"
        )


# The C loader is ten times faster, and DAG files load every contract.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _contract(document: dict[str, Any], catalogue: Catalogue, city: City) -> FeedContract:
    (schema,) = document["schema"]
    terms = FeedTerms.model_validate(_custom(document))
    department = terms.department
    if department.code not in city.departments:
        raise ValueError(f"cities/{city.code}.yaml 没有部门 {department.code}（{department.name}）")
    official = department.model_copy(update={"name": city.departments[department.code]})
    return FeedContract(
        feed=document["id"],
        label=document["name"],
        version=document["version"],
        description=document["description"]["purpose"],
        fields=tuple(_field(entry) for entry in schema["properties"]),
        terms=terms.model_copy(update={"department": official}),
        item=catalogue.item(terms.catalogue_item),
        department_family=department.name,
    )


def _field(entry: dict[str, Any]) -> Field:
    options = entry.get("logicalTypeOptions", {})
    terms = FieldTerms.model_validate(_custom(entry))
    return Field(
        name=entry["name"],
        header=entry.get("physicalName", entry["name"]),
        label=entry["businessName"],
        description=entry["description"],
        type=FieldType(entry["logicalType"]),
        required=entry.get("required", False),
        key_position=entry["primaryKeyPosition"] if entry.get("primaryKey") else None,
        enum=tuple(item["value"] for item in entry.get("enum", ())) or tuple(terms.meanings),
        pattern=options.get("pattern"),
        max_length=options.get("maxLength"),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        terms=terms,
    )


def _custom(element: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in element.get("customProperties", ())}
