"""The marts' contracts, as far as a dashboard needs them: the columns, and what people call them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from credit_warehouse.dictionary import BETWEEN
from credit_warehouse.settings import get_settings


@dataclass(frozen=True)
class Column:
    """A column of a mart; ``label`` is the Chinese half of its description."""

    name: str
    label: str
    data_type: str


@dataclass(frozen=True)
class Mart:
    """A model readers see, and who they are: reader → ``all`` or ``own``."""

    name: str
    model: str
    columns: dict[str, Column]
    readers: dict[str, str]


@cache
def marts() -> dict[str, Mart]:
    """Every mart with readers, under the name it has in schema ``mart``."""
    models = get_settings().dbt_project_dir / "models"
    words = _words((models / "shared_columns.md").read_text(encoding="utf-8"))
    found = {}
    for file in sorted((models / "marts").rglob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", []):
            config = model.get("config", {})
            readers = config.get("meta", {}).get("readers")
            if readers:
                name = _alias(file.with_name(f"{model['name']}.sql")) or model["name"]
                found[name] = Mart(name, model["name"], _columns(model, words), readers)
    return found


def _alias(model: Path) -> str | None:
    found = re.search(r"alias='(\w+)'", model.read_text(encoding="utf-8"))
    return found[1] if found else None


def _columns(model: dict[str, Any], words: dict[str, str]) -> dict[str, Column]:
    return {
        column["name"]: Column(
            column["name"], _label(column.get("description", ""), words), column.get("data_type", "text")
        )
        for column in model.get("columns", [])
    }


def _label(description: str, words: dict[str, str]) -> str:
    named = re.fullmatch(r"""\{\{ doc\(["'](\w+)["']\) \}\}""", description.strip())
    return (words[named[1]] if named else description).split(BETWEEN)[0].strip()


def _words(page: str) -> dict[str, str]:
    return dict(re.findall(r"\{% docs (\w+) %\}\s*(.*?)\s*\{% enddocs %\}", page, re.DOTALL))
