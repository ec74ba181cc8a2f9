"""From a script of cells to a notebook (nbformat 4) with the outputs it gave."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NOTEBOOKS = tuple(sorted(path for path in FOLDER.glob("*.py") if path.read_text("utf-8").startswith("# %%")))
_MARK = "# %%"


def sources(script: Path) -> list[tuple[str, str]]:
    """Kind (``markdown`` or ``code``) and source of every cell, in order."""
    found = []
    for block in script.read_text(encoding="utf-8").split(f"{_MARK}")[1:]:
        head, _, body = block.partition("\n")
        if "[markdown]" in head:
            lines = (line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines())
            found.append(("markdown", "\n".join(lines)))
        else:
            found.append(("code", body.strip()))
    return found


def run(script: Path) -> dict[str, Any]:
    """The notebook, each cell executed in order; what a cell raises is raised."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(sources(script), 1):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": _lines(source),
        }
        if kind == "code":
            cell |= {"execution_count": number, "outputs": _outputs(source, names, number)}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write(script: Path) -> Path:
    """Run a notebook and write it beside its script."""
    path = script.with_suffix(".ipynb")
    path.write_text(json.dumps(run(script), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The value of the cell's last expression, as Jupyter shows it."""
    body = ast.parse(source).body
    shown = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    if not isinstance(shown, ast.Expr):
        return []
    value = eval(compile(ast.Expression(shown.value), "<cell>", "eval"), names)
    if value is None:
        return []
    data = {"text/plain": _lines(repr(value))}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = _lines(value._repr_html_())
    return [{"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
