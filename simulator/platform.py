"""The provincial platform: takes packages in, keeps what it holds, answers with receipts.

It knows nothing of how the office makes a package; what it holds is the answer key of the exchange.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

from simulator.faults import PLATFORM, FaultKind
from simulator.servers.board import FaultBoard

INBOX, RECEIPTS = "inbox", "receipts"
_ENVELOPE = ("operation", "record_key")
REJECTED_EVERY = 3
"""With ``reject_rows`` armed, every third row of a package is refused."""

Holdings = dict[str, dict[str, str]]


class Platform:
    """Packages that appear in ``inbox/`` are taken in one by one. Safe to use from several threads."""

    def __init__(self, root: Path, board: FaultBoard) -> None:
        self.root = root
        self._board = board
        self._lock = threading.Lock()
        self._state = root.with_name(f"{root.name}.json")

    def prepare(self) -> None:
        """Make the folders a client sees."""
        for folder in (INBOX, RECEIPTS):
            (self.root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def holdings(self) -> Holdings:
        """Record key → what is held of it: its feed and its cells by header."""
        held: Holdings = self._read()["holdings"]
        return held

    @property
    def processed(self) -> dict[str, str]:
        """Package → checksum of what was taken in under its name."""
        packages: dict[str, str] = self._read()["packages"]
        return packages

    def take(self, file: Path) -> None:
        """Take one arrived package in and answer it."""
        with self._lock:
            if self._board.strikes(FaultKind.TRUNCATED_UPLOAD, PLATFORM):
                content = file.read_bytes()
                file.write_bytes(content[: len(content) // 2])
            receipt = self._answer(file)
            if not self._board.strikes(FaultKind.NO_RECEIPT, PLATFORM):
                self._write_receipt(file.stem, receipt)

    def issue(self, package: str) -> None:
        """Write the receipt that was left out or damaged."""
        with self._lock:
            (self.root / RECEIPTS / f"{package}.receipt.json").write_text(
                json.dumps(self._read()["receipts"][package], ensure_ascii=False), encoding="utf-8"
            )

    def _answer(self, file: Path) -> dict[str, Any]:
        state, digest = self._read(), hashlib.sha256(file.read_bytes()).hexdigest()
        if state["packages"].get(file.stem) == digest:
            known: dict[str, Any] = state["receipts"][file.stem]
            return known
        try:
            rows = rows_of(file)
        except (zipfile.BadZipFile, KeyError, ValueError):
            return {
                "package": file.stem,
                "sha256": digest,
                "state": "unreadable",
                "accepted": 0,
                "rejected": [],
            }
        if file.stem in state["packages"]:
            raise AssertionError(f"{file.stem} came twice with different content")
        refuses = self._board.strikes(FaultKind.REJECT_ROWS, PLATFORM)
        rejected = []
        for number, (feed, row) in enumerate(rows):
            if refuses and number % REJECTED_EVERY == 0:
                rejected.append({"record_key": row["record_key"], "reason": "平台校验不通过：机关未登记"})
            elif row["operation"] == "delete":
                state["holdings"].pop(row["record_key"], None)
            else:
                cells = {name: value for name, value in row.items() if name not in _ENVELOPE}
                state["holdings"][row["record_key"]] = {"feed": feed, **cells}
        receipt = {
            "package": file.stem,
            "sha256": digest,
            "state": "processed",
            "accepted": len(rows) - len(rejected),
            "rejected": rejected,
        }
        state["packages"][file.stem] = digest
        state["receipts"][file.stem] = receipt
        self._state.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        return receipt

    def _write_receipt(self, package: str, receipt: dict[str, Any]) -> None:
        if self._board.strikes(FaultKind.FOREIGN_RECEIPT, PLATFORM):
            receipt = {**receipt, "package": "999999-000001"}
        text = json.dumps(receipt, ensure_ascii=False)
        if self._board.strikes(FaultKind.DAMAGED_RECEIPT, PLATFORM):
            text = text[: len(text) // 2]
        (self.root / RECEIPTS / f"{package}.receipt.json").write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        if not self._state.exists():
            return {"holdings": {}, "packages": {}, "receipts": {}}
        known: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        return known


def rows_of(file: Path) -> list[tuple[str, dict[str, str]]]:
    """Rows of a package with their feed, call-backs last.

    Raises:
        zipfile.BadZipFile, KeyError, ValueError: the file is not what its manifest says.
    """
    found: list[tuple[str, dict[str, str]]] = []
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for entry in manifest["files"]:
            content = archive.read(entry["name"])
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
            if hashlib.sha256(content).hexdigest() != entry["sha256"] or len(rows) != entry["rows"]:
                raise ValueError(entry["name"])
            found += [(entry.get("feed", ""), row) for row in rows]
    return found
