"""One city for all scenarios of a test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.longrun import Arena, arena


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The arena; CREDIT_CHAOS_HOME names a folder to keep it in for the next run."""
    kept = os.environ.get("CREDIT_CHAOS_HOME")
    with arena(Path(kept) if kept else tmp_path_factory.mktemp("chaos"), keep=bool(kept)) as found:
        yield found
