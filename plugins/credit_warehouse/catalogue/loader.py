"""Reading the catalogue's files from disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from credit_warehouse.catalogue.model import Catalogue
from credit_warehouse.settings import get_settings

# The C loader is ten times faster, and DAG files load the catalogue.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CatalogueError(ValueError):
    """The catalogue cannot be used; the message names the entry and what is wrong with it."""


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The catalogue below ``folder`` (default: the project's).

    Raises:
        CatalogueError: not YAML, or not what :mod:`credit_warehouse.catalogue.model` allows.
    """
    return _load(folder or get_settings().catalogue_dir)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Catalogue:
    try:
        items = [item for path in sorted((folder / "items").glob("*.yaml")) for item in _read(path)]
        return Catalogue.model_validate(
            {
                "items": items,
                "display_classes": _read(folder / "display.yaml"),
                "deadlines": _read(folder / "deadlines.yaml"),
                "forbidden": _read(folder / "forbidden.yaml"),
            }
        )
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise CatalogueError(f"{folder.name}/: {error}") from error


def _read(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
    return entries
