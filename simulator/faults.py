"""Faults that can be armed on a running simulator, and what each of them applies to."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, model_validator

from simulator.feeds import FEEDS, SOURCES
from simulator.schema import Medium


class FaultKind(StrEnum):
    """What goes wrong."""

    # A whole source, until cleared.
    DOWN = "down"
    """Connections refused; with ``mode`` ``503`` the tax API answers 503 instead."""

    REFUSE_FEEDBACK = "refuse_feedback"
    """The source delivers, but takes no feedback."""

    # The next transfer of a source, ``times`` times.
    DROP_CONNECTION = "drop_connection"
    """The connection breaks in the middle of a file or response body."""
    TOKEN_EXPIRY = "token_expiry"
    """Tax: every token dies after one page."""
    PAGE_REPEATED = "page_repeated"
    """Tax: the second page holds the first page's items once more."""
    PAGE_CHANGED = "page_changed"
    """Tax: the snapshot changes after the first page."""

    # The next package at the provincial platform, ``times`` times.
    NO_RECEIPT = "no_receipt"
    REJECT_ROWS = "reject_rows"
    """Every third row is refused."""
    TRUNCATED_UPLOAD = "truncated_upload"
    """Half of the file arrives."""
    DAMAGED_RECEIPT = "damaged_receipt"
    FOREIGN_RECEIPT = "foreign_receipt"
    """The receipt speaks of another package."""

    # The next generated delivery of a feed.
    NOT_DELIVERED = "not_delivered"
    TRUNCATED = "truncated"
    WRONG_CHECKSUM = "wrong_checksum"
    ROW_COUNT_MISMATCH = "row_count_mismatch"
    MISSING_MANIFEST = "missing_manifest"
    """Court: no manifest in the zip. Market regulation: no ``.sha256`` beside the file."""
    WRONG_ENCODING_UTF16 = "wrong_encoding_utf16"
    WRONG_ENCODING_UTF8 = "wrong_encoding_utf8"
    """UTF-8 bytes where GB18030 is due; GB18030 bytes where UTF-8 is due."""
    RENAMED_COLUMN = "renamed_column"
    EXTRA_COLUMN = "extra_column"
    MISSING_COLUMN = "missing_column"
    MISSING_OPTIONAL_COLUMN = "missing_optional_column"
    REORDERED_COLUMNS = "reordered_columns"
    EMPTY_FILE = "empty_file"
    """A file of no bytes (court: a zip with a CSV of no bytes); tax and social security: no rows."""
    HEADER_ONLY = "header_only"
    ONE_ROW = "one_row"
    NESTED_JSON = "nested_json"
    MERGED_HEADERS = "merged_headers"
    FORMULAS = "formulas"
    ZIP_BOMB = "zip_bomb"


PLATFORM = "province"
"""The one system that takes and does not deliver."""

PLATFORM_FAULTS = {
    FaultKind.NO_RECEIPT,
    FaultKind.REJECT_ROWS,
    FaultKind.TRUNCATED_UPLOAD,
    FaultKind.DAMAGED_RECEIPT,
    FaultKind.FOREIGN_RECEIPT,
}
SOURCE_FAULTS = {FaultKind.DOWN, FaultKind.REFUSE_FEEDBACK}
TRANSFER_FAULTS = {
    FaultKind.DROP_CONNECTION,
    FaultKind.TOKEN_EXPIRY,
    FaultKind.PAGE_REPEATED,
    FaultKind.PAGE_CHANGED,
}

_COLUMNS = {
    FaultKind.RENAMED_COLUMN,
    FaultKind.EXTRA_COLUMN,
    FaultKind.MISSING_COLUMN,
    FaultKind.MISSING_OPTIONAL_COLUMN,
    FaultKind.REORDERED_COLUMNS,
}
_ANYWHERE = {FaultKind.NOT_DELIVERED, FaultKind.EMPTY_FILE, FaultKind.ONE_ROW}
_FILES = (
    _ANYWHERE
    | _COLUMNS
    | {FaultKind.TRUNCATED, FaultKind.WRONG_CHECKSUM, FaultKind.MISSING_MANIFEST, FaultKind.HEADER_ONLY}
)
_ENCODINGS = {FaultKind.WRONG_ENCODING_UTF16, FaultKind.WRONG_ENCODING_UTF8}

DELIVERY_FAULTS: dict[Medium, set[FaultKind]] = {
    Medium.ZIPPED_CSV: _FILES | _ENCODINGS | {FaultKind.ROW_COUNT_MISMATCH, FaultKind.ZIP_BOMB},
    Medium.CSV: _FILES | _ENCODINGS,
    Medium.WORKBOOK: _FILES | {FaultKind.MERGED_HEADERS, FaultKind.FORMULAS, FaultKind.ZIP_BOMB},
    Medium.API: _ANYWHERE | _COLUMNS | {FaultKind.NESTED_JSON},
    Medium.TABLE: _ANYWHERE,
}


class Fault(BaseModel):
    """One armed fault. ``feed`` for deliveries and pages, ``source`` for the rest."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    source: str | None = None
    feed: str | None = None
    mode: str | None = None
    times: int = 1
    """How often a transfer fault strikes before it is gone."""

    @model_validator(mode="after")
    def _fits(self) -> Fault:
        if self.feed is not None:
            if self.feed not in FEEDS:
                raise ValueError(f"no feed {self.feed!r}; feeds: {', '.join(FEEDS)}")
            self.source = FEEDS[self.feed].source
        if self.source == PLATFORM and self.kind in PLATFORM_FAULTS | SOURCE_FAULTS:
            return self
        if self.source not in SOURCES:
            raise ValueError(f"no source {self.source!r}; sources: {', '.join((*SOURCES, PLATFORM))}")
        if self.kind in SOURCE_FAULTS:
            return self
        if self.kind in TRANSFER_FAULTS:
            if self.source == "social_security" or (
                self.kind is not FaultKind.DROP_CONNECTION and self.source != "tax"
            ):
                raise ValueError(f"{self.kind} cannot strike {self.source}")
            return self
        if self.kind in PLATFORM_FAULTS:
            raise ValueError(f"{self.kind} strikes the source {PLATFORM} only")
        if self.feed is None:
            raise ValueError(f"{self.kind} strikes one delivery: name its feed")
        medium = FEEDS[self.feed].medium
        if self.kind not in DELIVERY_FAULTS[medium]:
            raise ValueError(f"{self.kind} cannot strike {self.feed}, delivered as {medium}")
        return self
