"""The kinds of identity documents departments name in words (DOMAIN.md §2.5)."""

from __future__ import annotations

from credit_warehouse.identity.codes import Kind

DOCUMENT_KINDS: dict[str, Kind] = {
    "身份证": Kind.RESIDENT_ID,
    "护照号": Kind.PASSPORT,
    "护照": Kind.PASSPORT,
    "港澳居民来往内地通行证": Kind.HK_MACAO_PERMIT,
    "台湾居民来往大陆通行证": Kind.TAIWAN_PERMIT,
    "外国人永久居留身份证": Kind.FOREIGN_RESIDENT_ID,
}
"""A document of another kind is neither checked nor keyed."""

UNCHECKED = frozenset({Kind.PASSPORT})
"""Foreign passports have no shape: one that has not the PRC's is no error, it only names nobody."""


def names_of(kind: Kind) -> list[str]:
    """The words for one kind of document."""
    return [name for name, named in DOCUMENT_KINDS.items() if named is kind]
