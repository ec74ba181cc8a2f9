"""The answer key: what a night delivered, what must become of it, and what must be true of the city afterwards.

Written from the generator's own knowledge, never from the warehouse's code. Counts describe the delivery as the
department made it; where a fault was armed (``fault``), the file or page on the wire differs from that on purpose, and
the counts hold for the delivery once it is sent again.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BrokenRule(_Model):
    """A rule code and the field it is reported on (empty for ``one_of`` and ``duplicate_key``)."""

    rule: str
    field: str


class PlantedRow(_Model):
    """A row that must be rejected. ``source_row`` is the 1-based number of the data row in the file, the item in the
    extraction ordered by (updated_at, id), or the change of the night ordered by change_seq."""

    source_row: int
    broken: list[BrokenRule]

    @property
    def rules(self) -> list[str]:
        return sorted({broken.rule for broken in self.broken})


class FeedNight(_Model):
    """One feed's delivery of one business date. Grain of every count: delivered rows.

    delivered = accepted + quarantined; accepted = matched + unknown_subject + persons + masked
    = new + fixed + corrections + withdrawals + resent.
    """

    feed: str
    business_date: date
    fault: str | None = None
    redelivered: bool = False
    """The faulty delivery has since been replaced by the right one."""
    delivered: int = 0
    accepted: int = 0
    quarantined: int = 0
    rules: dict[str, int] = {}
    """Rule → rejected rows that break it; a row with two rules counts under both."""
    planted: list[PlantedRow] = []
    new: int = 0
    fixed: int = 0
    """Rows rejected on an earlier night and now delivered right."""
    corrections: int = 0
    withdrawals: int = 0
    resent: int = 0
    """Rows already delivered, unchanged (tax: a newer updated_at; files: also a version already superseded)."""
    late: int = 0
    """Accepted first deliveries whose decision lies at least 50 days back: beyond any feed's reporting SLA. Others
    lie at most 5 days back. In the initial load nearly all are."""
    matched: int = 0
    """Rows about an organisation that the register holds as of this night (this night's registrations included)."""
    unknown_subject: int = 0
    persons: int = 0
    """Rows about a natural person with a full resident ID."""
    masked: int = 0
    null_spellings: int = 0
    """Optional fields of accepted rows delivered as ``— —``, ``无`` or ``/``: they must become null."""


class FeedTruth(_Model):
    """After all nights so far: distinct natural keys whose latest version (by updated_at) is in force or withdrawn."""

    live: int
    withdrawn: int


class SubjectTruth(_Model):
    """A sampled organisation and its live records per feed (feeds with none are left out)."""

    uscc: str
    live: dict[str, int]


class NightKey(_Model):
    """Answer key of one night: this night's deliveries, and the cumulative truth after it."""

    business_date: date
    seed: int
    enterprises: int
    persons: int
    feeds: dict[str, FeedNight]
    truth: dict[str, FeedTruth]
    subjects: list[SubjectTruth]

    def of(self, source: str) -> dict[str, FeedNight]:
        """The feeds of one department."""
        return {name: night for name, night in self.feeds.items() if name.startswith(f"{source}.")}


def path_of(home: Path, business_date: date) -> Path:
    """Where the simulator at ``home`` writes the key of a night."""
    return home / "answer_keys" / business_date.isoformat() / "answer_key.json"


def load(path: Path) -> NightKey:
    """Read a key.

    Raises:
        FileNotFoundError: that night has not been generated.
        pydantic.ValidationError: not an answer key.
    """
    return NightKey.model_validate_json(path.read_text(encoding="utf-8"))


def load_night(home: Path, business_date: date) -> NightKey:
    """The key of one generated night of the simulator at ``home``."""
    return load(path_of(home, business_date))


def save(key: NightKey, home: Path) -> Path:
    """Write the key of a night; the file appears whole or not at all."""
    path = path_of(home, key.business_date)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(key.model_dump_json(indent=1), encoding="utf-8")
    partial.replace(path)
    return path
