"""What the catalogue says to a contract: who may deliver, and what nobody may collect (DOMAIN.md §4.8)."""

from __future__ import annotations

from credit_warehouse.catalogue.model import Catalogue
from credit_warehouse.contracts.model import FeedContract


def admit(contract: FeedContract, catalogue: Catalogue) -> None:
    """Let a contract in.

    Raises:
        ValueError: its department is no supplier of the item, or a field is of a forbidden category.
    """
    department = contract.terms.department.code
    if department not in contract.item.latest.departments:
        raise ValueError(
            f"{contract.item.code} {contract.item.name}: {department} is not among its suppliers"
        )
    for category in catalogue.forbidden:
        for field in contract.fields:
            told = f"{field.name} {field.header} {field.label}".lower()
            if any(word.lower() in told for word in category.names):
                raise ValueError(f"字段“{field.label}”属于{category.category}，不得归集（{category.source}）")
