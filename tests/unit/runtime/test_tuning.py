"""Postgres settings follow the machine's memory."""

from __future__ import annotations

import pytest

from credit_warehouse.runtime.tuning import MIB, memory_bytes, server_settings


@pytest.mark.parametrize(
    ("memory_mib", "buffers"), [(256, "128MB"), (2048, "512MB"), (8192, "2048MB"), (65536, "16384MB")]
)
def test_a_quarter_of_the_memory(memory_mib: int, buffers: str) -> None:
    settings = server_settings(memory_mib * MIB, durable=True)
    assert settings["shared_buffers"] == buffers
    assert "fsync" not in settings


def test_throw_away_servers_are_small_and_quick() -> None:
    settings = server_settings(65536 * MIB, durable=False)
    assert settings["shared_buffers"] == "256MB"
    assert settings["fsync"] == "off"


def test_the_machine_has_some_memory() -> None:
    assert memory_bytes() > 64 * MIB
