"""A city of the benchmarks loaded in bulk is the city the intake would have taken in."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import psycopg
import pytest
from openpyxl import Workbook

from bench.city import City, night_date, write_deliveries
from bench.city_load import load_night
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.samples import _as_delivered
from credit_warehouse.database import connect
from credit_warehouse.intake import ledger, verbs
from credit_warehouse.intake.landing import land
from credit_warehouse.settings import get_settings
from tests import databases

CITY = City.of(400, changed=120)


def packed(contract: FeedContract, path: Path, folder: Path) -> Path:
    """The CSV as the department of the feed packs it."""
    delivery = contract.terms.delivery
    target = folder / f"{contract.name}.{delivery.format}"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if delivery.format == "xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
        book.save(target)
    elif delivery.format == "jsonl":
        items = ({name: cell or None for name, cell in zip(rows[0], row, strict=True)} for row in rows[1:])
        target.write_text("".join(json.dumps(item) + "\n" for item in items))
    else:
        target.write_text(path.read_text(encoding="utf-8"), encoding=delivery.encoding, newline="")
    scratch = folder / "packed"
    scratch.mkdir()
    return _as_delivered(contract, target, scratch)


def take_in(city: City, night: int) -> None:
    """The night's files through the real intake, past its gate."""
    day, folder = night_date(night), get_settings().home / str(night)
    for feed, path in write_deliveries(city, folder, night).items():
        contract = load_contracts()[feed]
        (folder / feed).mkdir()
        arrived = packed(contract, path, folder / feed)
        receipt = arrived.with_name(arrived.name + ".sha256")
        landed = land(
            get_settings(),
            contract,
            arrived,
            name=arrived.name,
            delivery_id=arrived.name,
            delivered_for=day,
            watermark=None,
            receipt=receipt.read_bytes() if receipt.exists() else None,
        )
        with connect() as connection:
            batch, _ = ledger.register(connection, contract, day, landed)
        assert verbs.load(feed, day) == [batch.batch_id]
        with connect() as connection:
            verbs._accept(connection, batch.batch_id)


def contents(warehouse: str) -> dict[str, list[tuple]]:
    """Everything an intake writes about rows, with feed and night in place of batch numbers."""
    found = {}
    with psycopg.connect(warehouse) as connection:
        for contract in load_contracts().values():
            found[contract.feed] = connection.execute(
                f"select batch.delivered_for, to_jsonb(row) - 'batch_id' from raw.{contract.relation} as row"
                " join ops.batch using (batch_id) order by batch_id, source_row"
            ).fetchall()
        for table, key in (
            ("ops.batch_profile", "batch_id"),
            ("ops.rule_count", "batch_id"),
            ("quarantine.rejected_row", "batch_id"),
            ("ops.record_event", "batch_id"),
            ("ops.suppression", "batch_id"),
            ("vault.identity", "first_batch_id"),
            ("vault.subject_name", "first_batch_id"),
        ):
            found[table] = connection.execute(
                f"select batch.feed, delivered_for, to_jsonb(row) - '{{{key},event_id,entered_at}}'::text[] as content"
                f" from {table} as row join ops.batch on batch.batch_id = row.{key} order by 1, 2, 3"
            ).fetchall()
        found["ops.batch"] = connection.execute(
            "select feed, business_date, delivered_for, state, is_initial, declared_rows, delivered_rows, accepted_rows,"
            " quarantined_rows, refused_rows, contract_version from ops.batch order by 1, 2"
        ).fetchall()
    return found


def test_loaded_in_bulk_is_taken_in(
    postgres_server: str, warehouse_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for fill in (load_night, take_in):
        name = databases.create(postgres_server, warehouse_template)
        url = databases.use(monkeypatch, postgres_server, name, tmp_path / fill.__name__)
        for night in (0, 1):
            fill(CITY, night)
        found.append(contents(url))
        databases.drop(postgres_server, name)
    bulk, taken = found
    for what, rows in taken.items():
        differing = [pair for pair in zip(rows, bulk[what], strict=True) if pair[0] != pair[1]]
        assert not differing, (what, differing[0])
    assert not taken["quarantine.rejected_row"]
    loaded = sum(len(taken[feed]) for feed in CITY.shapes)
    assert loaded == pytest.approx(CITY.records + CITY.changed, rel=0.01)


def test_every_row_has_a_subject_of_its_own_name(warehouse: str) -> None:
    load_night(CITY)
    with psycopg.connect(warehouse) as connection:
        for feed in CITY.shapes:
            nobody = f"select count(*) from raw.{load_contracts()[feed].relation} where subject_key is null"
            assert connection.execute(nobody).fetchone() == (0,), feed
        names, organisations = connection.execute(
            "select count(distinct subject_name.name), count(distinct subject_key) from vault.subject_name"
            " join vault.identity using (subject_key) where subject_type = 'organisation'"
        ).fetchone() or (0, 0)
    assert names == organisations == CITY.organisations
