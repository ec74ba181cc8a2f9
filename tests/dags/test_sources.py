"""Airflow connection → endpoint of a department's system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import run_with_airflow

ENDPOINTS = """
import dataclasses, json, os
from unittest.mock import patch
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from credit_warehouse.hooks.sources import endpoint_of, source_endpoint

found = {
    name: dataclasses.asdict(endpoint_of(Connection.from_json(fields)))
    for name, fields in json.loads(os.environ["CONNECTIONS"]).items()
}
def missing(name):
    raise AirflowNotFoundException(name)
for name, get in {"missing": missing, "no_host": lambda name: Connection(conn_id=name, conn_type="sftp")}.items():
    with patch.object(Connection, "get", get):
        try:
            source_endpoint("court")
        except AirflowFailException as failure:
            found[name] = str(failure)
print(json.dumps(found))
"""

CONNECTIONS = {
    "sftp": {
        "conn_type": "sftp",
        "host": "court.test",
        "port": 2022,
        "login": "u",
        "password": "p",
        "extra": {"host_key": "ssh-ed25519 AAAA"},
    },
    "http": {"conn_type": "http", "host": "tax.test", "port": 8001, "extra": {"token_path": "/oauth/token"}},
    "https": {"conn_type": "http", "schema": "https", "host": "tax.test"},
    "postgres": {"conn_type": "postgres", "host": "social.test", "login": "reader", "schema": "exchange"},
}


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    connections = {name: json.dumps(fields) for name, fields in CONNECTIONS.items()}
    home: Path = tmp_path_factory.mktemp("sources")
    found: dict[str, Any] = run_with_airflow(ENDPOINTS, home, CONNECTIONS=json.dumps(connections))
    return found


def test_address_secret_and_extra_are_carried_over(endpoints: dict[str, Any]) -> None:
    assert endpoints["sftp"] == {
        "scheme": "sftp",
        "host": "court.test",
        "port": 2022,
        "user": "u",
        "password": "p",
        "extra": {"host_key": "ssh-ed25519 AAAA"},
    }


def test_schema_is_a_protocol_over_http_and_a_database_elsewhere(endpoints: dict[str, Any]) -> None:
    assert endpoints["http"]["scheme"] == "http"
    assert (endpoints["https"]["scheme"], endpoints["https"]["port"]) == ("https", 443)
    assert endpoints["postgres"]["extra"] == {"database": "exchange"}
    assert endpoints["postgres"]["port"] == 5432


@pytest.mark.parametrize("case", ["missing", "no_host"])
def test_a_connection_that_cannot_be_used_says_what_to_do(endpoints: dict[str, Any], case: str) -> None:
    assert "court" in endpoints[case]
    assert "重跑本任务" in endpoints[case]
