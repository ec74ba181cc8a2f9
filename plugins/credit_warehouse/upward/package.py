"""A package as bytes: one CSV per feed and edition, one of call-backs, and a manifest, zipped. Same content, same bytes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from credit_warehouse.contracts import FeedContract
from credit_warehouse.intake.archive import sha256_of

CALL_BACKS = "call_backs.csv"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Heading:
    """What the manifest says of the package as a whole; ``previous`` is the package before it that was not given up."""

    package: str
    number: int
    platform: str
    city: str
    business_date: date
    publication: int
    previous: str | None


@dataclass(frozen=True)
class Part:
    """One file: ``contract`` says which feed's rows it holds, none for the call-backs. ``rows`` without the header."""

    path: Path
    rows: int
    contract: FeedContract | None = None


def write(heading: Heading, parts: list[Part], target: Path) -> None:
    """Write the zip at ``target``, readable by its owner only, complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(target.name + ".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for part in parts:
                with part.path.open("rb") as content, archive.open(_entry(part.path.name), "w") as member:
                    shutil.copyfileobj(content, member)
            archive.writestr(_entry("manifest.json"), _manifest(heading, parts))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(target)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _manifest(heading: Heading, parts: list[Part]) -> str:
    document = {
        "package": heading.package,
        "number": heading.number,
        "platform": heading.platform,
        "city": heading.city,
        "business_date": heading.business_date.isoformat(),
        "publication": heading.publication,
        "previous": heading.previous,
        "files": [_described(part) for part in parts],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _described(part: Part) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": part.path.name,
        "rows": part.rows,
        "sha256": sha256_of(part.path),
    }
    if part.contract is not None:
        entry |= {
            "feed": part.contract.feed,
            "label": part.contract.label,
            "edition": part.contract.terms.double_publicity,
            "columns": {field.header: field.label for field in part.contract.fields},
        }
    return entry
