"""Batches into a real warehouse: counted, idempotent, all or nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.intake import ledger
from credit_warehouse.intake.landing import land
from credit_warehouse.intake.ledger import Batch
from credit_warehouse.intake.loading import load_batch
from credit_warehouse.intake.verbs import load
from credit_warehouse.settings import get_settings
from tests.unit.intake.deliveries import DEBTOR_ROW, court_zip, csv_bytes

NIGHT = date(2026, 3, 2)
FEED = "court.dishonest_judgment_debtor"


@pytest.fixture
def contract() -> FeedContract:
    return load_contracts()[FEED]


def arrive(
    contract: FeedContract, path: Path, name: str = "a.zip", night: date = NIGHT, mark: str = "1:1"
) -> tuple[Batch, bool]:
    """A file that has just been downloaded, landed and entered."""
    landed = land(
        get_settings(),
        contract,
        path,
        name=name,
        delivery_id=f"/outbox/{name}",
        delivered_for=night,
        watermark=mark,
    )
    with connect() as connection:
        return ledger.register(connection, contract, night, landed)


def drop(tmp_path: Path, contract: FeedContract, count: int, broken: int = 0) -> Path:
    rows = [{**DEBTOR_ROW, "record_no": str(n)} for n in range(count)]
    rows += [{**DEBTOR_ROW, "record_no": f"x{n}", "status": "?"} for n in range(broken)]
    return court_zip(tmp_path / "arrived", contract, csv_bytes(contract, rows), len(rows))


def counts(url: str) -> tuple[int, int]:
    with psycopg.connect(url) as connection:
        raw = connection.execute("select count(*) from raw.court__dishonest_judgment_debtor").fetchone()
        quarantined = connection.execute("select count(*) from quarantine.rejected_row").fetchone()
    assert raw is not None and quarantined is not None
    return raw[0], quarantined[0]


def test_every_row_goes_to_raw_or_to_quarantine(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    batch, new = arrive(contract, drop(tmp_path, contract, 40, broken=3))
    assert new
    assert load(FEED, NIGHT) == [batch.batch_id]
    assert counts(warehouse) == (40, 3)
    with connect() as connection:
        row = connection.execute(
            "select state, delivered_rows, accepted_rows, quarantined_rows, refused_rows, declared_rows, is_initial"
            " from ops.batch"
        ).fetchone()
        rules = connection.execute("select rule, field, rows from ops.rule_count").fetchall()
        visible = connection.execute(
            "select count(*) from accepted.court__dishonest_judgment_debtor"
        ).fetchone()
    assert row == ("loaded", 43, 40, 3, 0, 43, True)
    assert rules == [("enum", "status", 3)]
    assert visible == (0,), "nothing is visible before gate 1"


def test_loading_twice_changes_nothing(warehouse: str, contract: FeedContract, tmp_path: Path) -> None:
    batch, _ = arrive(contract, drop(tmp_path, contract, 5, broken=1))
    load_batch(contract, batch, get_settings())
    load_batch(contract, batch, get_settings())
    assert load(FEED, NIGHT) == []
    assert counts(warehouse) == (5, 1)


def test_a_file_that_arrives_twice_is_recognised(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    first, _ = arrive(contract, drop(tmp_path, contract, 5))
    again, new = arrive(contract, drop(tmp_path, contract, 5), mark="1:2")
    assert (again.batch_id, new) == (first.batch_id, False)


def test_the_same_bytes_under_another_name_hold_no_rows(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    path = drop(tmp_path, contract, 5)
    content = path.read_bytes()
    first, _ = arrive(contract, path)
    path.write_bytes(content)
    twin, _ = arrive(contract, path, "b.zip")
    assert (first.state, twin.state) == ("landed", "duplicate")
    assert load(FEED, NIGHT) == [first.batch_id]
    assert counts(warehouse) == (5, 0)
    with connect() as connection:
        told = connection.execute(
            "select delivered_rows, refusal_message from ops.batch where batch_id = %s", [twin.batch_id]
        ).fetchone()
    assert told is not None and told[0] == 0 and str(first.batch_id) in told[1]


def test_a_changed_file_under_the_same_name_is_a_new_batch(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    arrive(contract, drop(tmp_path, contract, 5))
    second, new = arrive(contract, drop(tmp_path, contract, 6))
    assert new and second.state == "landed"


def test_a_refused_file_is_counted_and_kept(warehouse: str, contract: FeedContract, tmp_path: Path) -> None:
    path = court_zip(
        tmp_path / "arrived", contract, csv_bytes(contract, [DEBTOR_ROW] * 3), 3, sha256="0" * 64
    )
    batch, _ = arrive(contract, path)
    with pytest.raises(DeliveryRefused):
        load_batch(contract, batch, get_settings())
    with connect() as connection:
        row = connection.execute(
            "select state, refusal_code, delivered_rows, accepted_rows, refused_rows from ops.batch"
        ).fetchone()
    assert row == ("refused", "checksum", 3, 0, 3)
    assert (get_settings().landing_dir / batch.landed_path).exists()
    assert counts(warehouse) == (0, 0)


def test_a_refusal_is_an_outcome_and_stops_nobody(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    bad = court_zip(tmp_path / "arrived", contract, csv_bytes(contract, [DEBTOR_ROW]), 1, sha256="0" * 64)
    arrive(contract, bad, "bad.zip")
    good, _ = arrive(contract, drop(tmp_path, contract, 2), "good.zip")
    assert load(FEED, NIGHT) == [good.batch_id]
    with connect() as connection:
        outcomes = connection.execute(
            "select state, code, message from ops.outcome where step = 'load' order by outcome_id"
        ).fetchall()
    assert [outcome[:2] for outcome in outcomes] == [("refused", "checksum"), ("succeeded", None)]
    assert "重新上传" in outcomes[0][2]


def test_a_database_that_dies_while_loading_leaves_nothing_and_the_next_try_loads_once(
    warehouse: str, contract: FeedContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credit_warehouse.intake import loading

    batch, _ = arrive(contract, drop(tmp_path, contract, 2000, broken=5))
    copy = loading._copy
    calls = []

    def dies_between_the_halves(connection: psycopg.Connection, *arguments: object) -> None:
        copy(connection, *arguments)  # type: ignore[arg-type]
        calls.append(arguments)
        if len(calls) == 1:
            with psycopg.connect(warehouse, autocommit=True) as killer:
                killer.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])

    monkeypatch.setattr(loading, "_copy", dies_between_the_halves)
    with pytest.raises(psycopg.OperationalError):
        load(FEED, NIGHT)
    assert counts(warehouse) == (0, 0)
    with connect() as connection:
        failed = connection.execute("select state from ops.outcome where step = 'load'").fetchone()
    assert failed == ("failed",)
    assert load(FEED, NIGHT) == [batch.batch_id]
    assert counts(warehouse) == (2000, 5)


INDEXES = (
    "select indexname, indexdef from pg_indexes where schemaname = 'raw'"
    " and tablename = 'court__dishonest_judgment_debtor' order by indexname"
)


def _indexes() -> tuple[list[tuple[str, str]], bool]:
    """The raw table's indexes, and whether all of them are valid and hold every row."""
    with connect() as connection:
        found = connection.execute(INDEXES).fetchall()
        connection.execute("set local enable_seqscan = off")
        counted = connection.execute(
            "select count(*), count(distinct record_key) from raw.court__dishonest_judgment_debtor"
            " where record_key >= '00000000-0000-0000-0000-000000000000'"
        ).fetchone()
    assert counted is not None
    return found, counted[0] == counted[1]


def test_indexes_built_after_a_big_batch_are_the_ones_there_were(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    before, _ = _indexes()
    arrive(contract, drop(tmp_path, contract, 300))
    load(FEED, NIGHT)
    after, whole = _indexes()
    assert len(before) == 4 and after == before and whole
    with connect() as connection, connection.cursor() as cursor:
        key = cursor.execute("select record_key from raw.court__dishonest_judgment_debtor limit 1").fetchone()
        cursor.execute("set local enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in cursor.execute(
                "explain select from raw.court__dishonest_judgment_debtor where record_key = %s", key
            )
        )
    assert "record_key_idx" in plan


def test_a_reader_of_the_table_neither_stops_a_big_batch_nor_waits_for_it(
    warehouse: str, contract: FeedContract, tmp_path: Path
) -> None:
    before, _ = _indexes()
    batch, _ = arrive(contract, drop(tmp_path, contract, 300))
    with psycopg.connect(warehouse) as reader:
        reader.execute("select count(*) from raw.court__dishonest_judgment_debtor")
        assert load(FEED, NIGHT) == [batch.batch_id]
        assert reader.execute("select count(*) from raw.court__dishonest_judgment_debtor").fetchone() == (
            300,
        )
    assert _indexes() == (before, True)


def test_a_big_batch_that_fails_leaves_the_indexes_as_they_were(
    warehouse: str, contract: FeedContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credit_warehouse.intake import loading

    def fails(*_: object) -> None:
        raise RuntimeError("after the rows, before the commit")

    before, _ = _indexes()
    arrive(contract, drop(tmp_path, contract, 300))
    monkeypatch.setattr(loading, "_write_profile", fails)
    with pytest.raises(RuntimeError):
        load(FEED, NIGHT)
    assert _indexes() == (before, True)
    assert counts(warehouse) == (0, 0)
