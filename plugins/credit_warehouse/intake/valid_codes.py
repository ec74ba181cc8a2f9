"""Whether a text is a valid code of a kind: SQL over the canonical texts ``t_<field>``, found out once a field."""

from __future__ import annotations

from credit_warehouse.contracts import FeedContract
from credit_warehouse.identity.codes import Kind

_UNTIL = "getvariable('delivered_for')"


def is_kind(kind: Kind, text: str) -> str:
    """Condition: ``text`` is a valid code of the kind, nobody born after the delivery."""
    dated = kind in (Kind.RESIDENT_ID, Kind.FOREIGN_RESIDENT_ID)
    return f"is_{kind}({text}{', ' + _UNTIL if dated else ''})"


def facts(contract: FeedContract) -> dict[str, str]:
    """Column ``k_<field>``: the field holds a valid code of its kind."""
    return {
        f"k_{field.name}": f"case when t_{field.name} is not null"
        f" then coalesce({is_kind(field.terms.check, f't_{field.name}')}, false) else false end"
        for field in contract.fields
        if field.terms.check and contract.document_type(field.name) is None
    }


def holds(contract: FeedContract, name: str, kind: Kind) -> str:
    """Condition: the field holds a valid code of the kind."""
    known = contract.field(name).terms.check is kind and contract.document_type(name) is None
    return f"k_{name}" if known else is_kind(kind, f"t_{name}")
