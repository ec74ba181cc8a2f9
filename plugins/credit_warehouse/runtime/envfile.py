"""KEY=VALUE files that a shell, pydantic-settings and docker compose all understand."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values


def read(file: Path) -> dict[str, str]:
    """The file's variables; an empty mapping when there is no file."""
    values = dotenv_values(file, interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def write(file: Path, sections: Iterable[tuple[str, Mapping[str, str]]]) -> None:
    """Replace `file` in one step; readable by its owner only. A section is a comment and its variables.

    Raises ValueError for a value with a line break or a single quote, which no common quoting carries.
    """
    lines: list[str] = []
    for comment, values in sections:
        if values:
            lines += [f"# {comment}", *(f"{name}={_quoted(value)}" for name, value in values.items()), ""]
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write("\n".join(lines))
    draft.replace(file)


def _quoted(value: str) -> str:
    if "\n" in value or "'" in value:
        raise ValueError("a setting must not contain a line break or a single quote")
    plain = all(character.isalnum() or character in "-_.,:/@+=%?&" for character in value)
    return value if plain else f"'{value}'"
