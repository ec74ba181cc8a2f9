"""A port is given once: between choosing it and listening on it nobody else is given the same."""

from __future__ import annotations

import socket

import pytest

from credit_warehouse.runtime import ports


def test_a_reserved_port_is_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ports.reserve()
    monkeypatch.setattr(ports, "RANGE", range(port, port + 100))
    assert port not in {ports.reserve() for _ in range(50)}


def test_a_server_listens_on_the_port_reserved_for_it() -> None:
    port = ports.reserve()
    assert not ports.is_taken(port)
    with socket.create_server((ports.HOST, port)), socket.create_connection((ports.HOST, port)):
        assert ports.is_taken(port)
        with pytest.raises(OSError, match="in use"):
            socket.create_server((ports.HOST, port))


def test_a_preferred_port_that_is_taken_is_passed_over() -> None:
    port = ports.reserve()
    with socket.create_server((ports.HOST, port)):
        assert ports.first_free(port) > port


def test_none_free_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_taken", lambda port: True)
    with pytest.raises(ports.NoFreePort, match="20000"):
        ports.first_free(20_000)
