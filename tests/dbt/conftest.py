"""A candidate of the whole project, built inside the test process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from credit_warehouse import publication
from credit_warehouse.settings import PROJECT_DIR

from .dbt_process import dbt

Build = Callable[..., int]


@pytest.fixture
def build(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Build a candidate (opening one unless given): all layers, without the data tests. Returns its number."""

    def run(night: date, *arguments: str, candidate: int | None = None) -> int:
        if candidate is None:
            opened = publication.open_candidate(night, full_refresh=True)
            assert opened is not None
            candidate = opened.publication_id
        as_of = publication.describe(candidate).business_date
        project = PROJECT_DIR / "dbt_project"
        if not seeded:
            dbt(monkeypatch, project, candidate, as_of, "seed")
            seeded.append(True)
        dbt(monkeypatch, project, candidate, as_of, "run", "--select", "staging core vault marts", *arguments)
        return candidate

    seeded: list[bool] = []
    return run
