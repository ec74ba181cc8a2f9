"""Reading the cities' files from disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from credit_warehouse.cities.model import City
from credit_warehouse.settings import get_settings

# The C loader is ten times faster, and DAG files load the city.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CityError(ValueError):
    """A city's file cannot be used; the message names the file and what is wrong with it."""


def load_city(code: str | None = None, folder: Path | None = None) -> City:
    """The city called ``code`` (default: the office's own).

    Raises:
        CityError: there is no such file, or not what :mod:`credit_warehouse.cities.model` allows.
    """
    settings = get_settings()
    return _load(folder or settings.cities_dir, code or settings.city)


def load_cities(folder: Path | None = None) -> dict[str, City]:
    """Every city there is a file for, by code, in a stable order.

    Raises:
        CityError: as :func:`load_city`.
    """
    folder = folder or get_settings().cities_dir
    return {path.stem: _load(folder, path.stem) for path in sorted(folder.glob("*.yaml"))}


@lru_cache(maxsize=64)
def _load(folder: Path, code: str) -> City:
    path = folder / f"{code}.yaml"
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
        return City.model_validate({**document, "code": code})
    except FileNotFoundError as error:
        known = "、".join(sorted(other.stem for other in folder.glob("*.yaml")))
        raise CityError(f"CREDIT_CITY 为 {code}，但没有 cities/{code}.yaml；现有：{known}") from error
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise CityError(f"cities/{code}.yaml: {error}") from error
