"""A city's night over real SFTP: what the province holds against the mart, row for row, each cell out of the delivered file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from credit_warehouse import changes, pipeline, provenance, publication
from credit_warehouse.changes import ChangeKind
from credit_warehouse.cli import app
from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.runtime import simulator_service
from credit_warehouse.settings import PROJECT_DIR, get_settings
from simulator.faults import PLATFORM
from simulator.testing import RunningSimulator, running
from tests.dbt.dbt_process import dbt

from .office import AMOUNTS, FEEDS

NIGHT = date(2026, 3, 2)
NOTHING = {"", "—", "——", "— —", "-", "--", "/", "\\", "无", "null", "NULL", "None", "N/A", "(null)"}
DAYS = {"XK_JDRQ", "XK_YXQZ", "XK_YXQZI", "XK_JZQ", "CF_JDRQ", "CF_YXQ", "CF_GSJZQ"}
CODES = re.compile("_(SHXYM|ZDM|GSDJ|SWDJ|SFZ|ZJHM|JGDM|LYDWDM)$|CFJGDM")


@contextmanager
def city(home: Path) -> Iterator[tuple[RunningSimulator, dict[str, Endpoint]]]:
    with running(
        home, sources=("market_regulation", PLATFORM), config={"enterprises": 300, "persons": 200}
    ) as found:
        sections = {"market_regulation": found.config.market_regulation, PLATFORM: found.config.province}
        yield (
            found,
            {
                name: Endpoint("sftp", "127.0.0.1", at.port, at.user, at.password, {"host_key": at.host_key})
                for name, at in sections.items()
            },
        )


@cache
def delivered(path: Path) -> list[dict[str, Any]]:
    sheet = load_workbook(path, read_only=True).worksheets[0]
    header, *found = sheet.iter_rows(values_only=True)
    return [
        dict(zip(map(str, header), row, strict=True))
        for row in found
        if any(cell is not None for cell in row)
    ]


def plain(header: str, cell: Any) -> str:
    """A delivered cell as the standard writes it."""
    if isinstance(cell, datetime):
        cell = cell.strftime("%Y-%m-%d %H:%M:%S")
    text = str(cell if cell is not None else "").strip(" \t\r\n\u3000\xa0")
    if text in NOTHING:
        return ""
    if header in DAYS:
        year, month, day = re.findall(
            r"\d+", text if re.search(r"\D", text[:8]) else f"{text[:4]}-{text[4:6]}-{text[6:]}"
        )[:3]
        return f"{year}-{int(month):02}-{int(day):02}"
    if header == "SJC":
        return text.replace("/", "-").replace("T", " ")
    if header in AMOUNTS:
        return f"{Decimal(text).normalize():f}"
    return text


def should_hold() -> dict[str, dict[str, str]]:
    """The mart's rows, each with the cells of the file row it names."""
    with connect() as connection:
        found = connection.execute(
            "select record_key, feed, landed_path, source_row from mart.queryable_credit_record"
            " where feed = any(%s) and status = 'in_force' and sharing_tier <> 'authorised'",
            [list(FEEDS)],
        ).fetchall()
    return {
        str(key): {
            "feed": feed,
            **{
                field.header: plain(
                    field.header, delivered(get_settings().landing_dir / path)[row - 1].get(field.header)
                )
                for field in load_contracts()[feed].fields
            },
        }
        for key, feed, path, row in found
    }


def same_but_spelling(held: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Identity codes have one spelling in the warehouse: no hyphens, capitals."""
    return {
        key: {
            header: re.sub("[- ]", "", cell).upper() if CODES.search(header) else cell
            for header, cell in row.items()
        }
        for key, row in held.items()
    }


def take_in(night: date, endpoint: Endpoint, patch: pytest.MonkeyPatch) -> None:
    for contract in load_contracts().values():
        if contract.feed in FEEDS:
            pipeline.pull(contract.feed, night, endpoint)
            pipeline.load(contract.feed, night)
    pipeline.gate("market_regulation", night)
    candidate = publication.open_candidate(night)
    assert candidate is not None
    number, project = candidate.publication_id, PROJECT_DIR / "dbt_project"
    if number == 1:
        dbt(patch, project, number, night, "seed")
    dbt(patch, project, number, night, "run", "--select", "+queryable_credit_record", "+exchange_status")
    publication.publish(number, "test")


def test_the_province_holds_the_mart(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with city(tmp_path / "simulator") as (simulator, reach):
        simulator.advance(NIGHT)
        take_in(NIGHT, reach["market_regulation"], monkeypatch)

        simulator.client.fault("down", source=PLATFORM)
        assert pipeline.exchange_build(NIGHT) == "441300-000001"
        with pytest.raises(SourceUnavailable):
            pipeline.exchange_send(NIGHT, reach[PLATFORM])
        simulator.client.clear(PLATFORM)
        assert pipeline.exchange_send(NIGHT, reach[PLATFORM]).answered == ["441300-000001"]
        expected = should_hold()
        assert {row["feed"] for row in expected.values()} == set(FEEDS)
        assert same_but_spelling(simulator.platform.holdings) == same_but_spelling(expected)

        removed = provenance.find(next(iter(expected)))
        changes.enter(removed, ChangeKind.REPAIR, NIGHT, "修复1号", "已履行", "王主任")
        connections = simulator_service.connections(tmp_path / "simulator", warehouse)
        monkeypatch.setenv("AIRFLOW_CONN_PROVINCE", connections["AIRFLOW_CONN_PROVINCE"])
        assert "已取回执：441300-000002" in said("exchange", "send", "--removals")
        assert "441300-000002  已确认  撤回" in said("exchange", "list")
        assert str(removed) in said("exchange", "show", "2")
        assert "已信用修复" in said("explain", str(removed)).partition("上报\n")[2]
        assert str(removed) not in simulator.platform.holdings
        assert same_but_spelling(simulator.platform.holdings) == same_but_spelling(should_hold())
        assert [
            (row["name"], row["operation"], row["outcome"], row["call_back_reason"])
            for row in provenance.explain(removed).sendings
        ] == [
            ("441300-000001", "insert", "accepted", None),
            ("441300-000002", "delete", "accepted", "repair"),
        ]

        second = date(2026, 3, 3)
        simulator.advance(second)
        take_in(second, reach["market_regulation"], monkeypatch)
        pipeline.exchange_build(second)
        pipeline.exchange_send(second, reach[PLATFORM])
        assert same_but_spelling(simulator.platform.holdings) == same_but_spelling(should_hold())
        assert _status() == _counted()


def said(*command: str) -> str:
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return done.output


def _status() -> list[tuple[Any, ...]]:
    """The mart of the second night knows the first night's packages."""
    with connect() as connection:
        return connection.execute(
            "select platform, business_date, feed, packages, prepared_rows, new_rows, changed_rows, called_back_rows,"
            " unsent_rows, waiting_rows, acknowledged_rows, rejected_rows from mart.exchange_status order by feed"
        ).fetchall()


def _counted() -> list[tuple[Any, ...]]:
    with connect() as connection:
        items = connection.execute(
            "select feed, number, operation, outcome from ops.exchange_item join ops.exchange_package using (package_id)"
            " where business_date = %s",
            [NIGHT],
        ).fetchall()
    counted = []
    for feed in sorted({item[0] for item in items}):
        own = [item for item in items if item[0] == feed]
        operations = [
            sum(item[2] == operation for item in own) for operation in ("insert", "update", "delete")
        ]
        packages = len({item[1] for item in own})
        counted.append(("province", NIGHT, feed, packages, len(own), *operations, 0, 0, len(own), 0))
    return counted
