"""The standard's own check of a contract file (ODCS JSON schema, as shipped by its publisher)."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import yaml
from jsonschema import Draft201909Validator


def odcs_problems(path: Path) -> list[str]:
    """What the published schema objects to in one contract file, one sentence each; empty when valid."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    errors = Draft201909Validator(schema).iter_errors(document)
    return [f"{path.name}: {error.json_path}: {error.message}" for error in errors]
