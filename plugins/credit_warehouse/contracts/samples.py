"""A contract comes with a sample, and the sample must pass its own rules."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from datetime import date
from pathlib import Path

from pydantic import SecretStr

from credit_warehouse.contracts.model import FeedContract
from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.settings import Settings

_SAMPLE_DATE = date(2026, 3, 2)
# The subject keys of a sample are thrown away.
_NO_SECRET = SecretStr("a sample needs no secret")


def sample_path(contract: FeedContract, settings: Settings) -> Path:
    """Where the sample of a contract lies."""
    folder = settings.contracts_dir / contract.source / "samples"
    return folder / f"{contract.name}.{contract.terms.delivery.format}"


def sample_problems(contract: FeedContract, settings: Settings) -> list[str]:
    """What is wrong with the sample of a contract, one sentence each; empty when every row is accepted."""
    from credit_warehouse.intake.split import split_delivery

    path = sample_path(contract, settings)
    if not path.exists():
        return [f"{contract.feed}: no sample at {path.relative_to(settings.project_dir)}"]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        packed = _as_delivered(contract, path, scratch)
        checking = settings.model_copy(update={"pepper": settings.pepper or _NO_SECRET})
        try:
            split = split_delivery(contract, packed, 0, _SAMPLE_DATE, scratch, checking)
        except DeliveryRefused as refusal:
            return [f"{contract.feed}: sample refused: {refusal.message}"]
    if split.extra or split.missing_optional:
        return [f"{contract.feed}: sample columns differ: {split.extra + split.missing_optional}"]
    return [f"{contract.feed}: sample breaks {rule} of {field}" for rule, field in split.rule_counts]


def _as_delivered(contract: FeedContract, path: Path, scratch: Path) -> Path:
    """The sample packed the way the department packs it."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    packed = scratch / path.name
    packed.write_bytes(content)
    if contract.terms.delivery.receipt == "sha256":
        packed.with_name(packed.name + ".sha256").write_text(f"{digest}  {path.name}\n")
    if contract.terms.delivery.container == "zip":
        rows = content.decode(contract.terms.delivery.encoding).count("\n") - 1
        manifest = {"feed": contract.feed, "files": [{"name": path.name, "rows": rows, "sha256": digest}]}
        packed = scratch / "sample.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(path.name, content)
            archive.writestr("manifest.json", json.dumps(manifest))
    return packed
