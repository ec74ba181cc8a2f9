from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from credit_warehouse.database import connect
from credit_warehouse.settings import get_settings

from .office import Office, stand_in_mart

OpenOffice = Callable[[str], Office]


@pytest.fixture
def open_office(warehouse: str, tmp_path: Path) -> OpenOffice:
    """Opens an office with no records and a platform of its own; the one before is over."""
    stand_in_mart()

    def begin(platform: str) -> Office:
        with connect() as connection:
            connection.execute("truncate mart.queryable_credit_record")
        return Office(tmp_path, get_settings().model_copy(update={"upward_platform": platform}))

    return begin


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office("province")
