"""An office whose marts are said by the test: records with delivered rows in raw, and what readers see of them."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import sql

from credit_warehouse.contracts import load_contracts
from credit_warehouse.contracts.samples import sample_path
from credit_warehouse.database import connect
from credit_warehouse.intake.workbook import workbook_to_csv
from credit_warehouse.settings import Settings
from credit_warehouse.upward.transport import Inbox
from simulator.platform import INBOX, RECEIPTS, Holdings, Platform
from simulator.servers.board import FaultBoard

NIGHT = date(2026, 3, 2)
PENALTY, PENALTY_2016, LICENCE, LICENCE_2016 = FEEDS = (
    "market_regulation.administrative_penalty",
    "market_regulation.administrative_penalty_v2016",
    "market_regulation.administrative_licence",
    "market_regulation.administrative_licence_v2016",
)
AMOUNTS = {"CF_NR_FK", "CF_NR_WFFF"}
"""Headers of amounts in 万元, by the standard (DOMAIN.md §3.1)."""


@cache
def sample(feed: str) -> dict[str, str]:
    """First row of the contract's sample, header → cell; days as ISO has them."""
    settings = Settings()
    path = sample_path(load_contracts()[feed], settings)
    target = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"sample-{uuid.uuid4().hex}.csv"
    workbook_to_csv(path, target, 1 << 24)
    with target.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    target.unlink()
    dated = {field.header for field in load_contracts()[feed].fields if field.type in ("date", "timestamp")}
    return {header: cell.replace("/", "-") if header in dated else cell for header, cell in row.items()}


@dataclass
class FolderInbox:
    """The platform without a network between."""

    platform: Platform

    def deliver(self, file: Path, name: str) -> None:
        target = self.platform.root / INBOX / name
        target.write_bytes(file.read_bytes())
        self.platform.take(target)

    def holds(self, name: str) -> bool:
        return (self.platform.root / INBOX / name).exists()

    def receipt(self, package: str) -> bytes | None:
        file = self.platform.root / RECEIPTS / f"{package}.receipt.json"
        return file.read_bytes() if file.exists() else None


@dataclass
class Office:
    """One platform, and the records of a city; every test has a platform name of its own."""

    home: Path
    settings: Settings
    cells: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """Record → feed of its newest version, and its cells."""

    def __post_init__(self) -> None:
        self.board = FaultBoard()
        self.platform = Platform(self.home / self.settings.upward_platform, self.board)
        self.platform.prepare()
        self.inbox: Inbox = FolderInbox(self.platform)

    def open_inbox(self) -> AbstractContextManager[Inbox]:
        @contextmanager
        def opened() -> Iterator[Inbox]:
            yield self.inbox

        return opened()

    def key(self, record: str) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.settings.upward_platform}/{record}")

    def deliver(self, record: str, feed: str, **changed: str) -> None:
        """A new version of the record is accepted and published, in force and public."""
        contract = load_contracts()[feed]
        number = "CF_WSH" if "penalty" in feed else "XK_WSH"
        row = sample(feed) | {number: f"惠市监字〔2026〕{record}号"} | changed
        self.cells[record] = (feed, row)
        with connect() as connection:
            batch = connection.execute(
                "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes,"
                " state, delivered_rows, accepted_rows, quarantined_rows, refused_rows, contract_version)"
                " values (%s, %s, %s, %s, %s, 'x', 1, 'accepted', 1, 1, 0, 0, '1') returning batch_id",
                [feed, NIGHT, NIGHT, uuid.uuid4().hex, uuid.uuid4().hex * 2],
            ).fetchone()
            assert batch is not None
            values: dict[str, Any] = {
                "batch_id": batch[0],
                "source_row": 1,
                "record_key": self.key(record),
                "is_withdrawal": False,
            }
            for item in contract.fields:
                text = row[item.header] or None
                is_amount = text is not None and item.header in AMOUNTS
                values[item.name] = Decimal(text) * 10000 if is_amount else text  # type: ignore[arg-type]
            connection.execute(
                sql.SQL("insert into raw.{} ({}) values ({})").format(
                    sql.Identifier(contract.relation),
                    sql.SQL(", ").join(map(sql.Identifier, values)),
                    sql.SQL(", ").join(map(sql.Placeholder, values)),
                ),
                values,
            )
            connection.execute(
                "insert into mart.queryable_credit_record values (%s, %s, 'in_force', 'public', %s, 1)"
                " on conflict (record_key) do update set feed = excluded.feed, status = 'in_force',"
                " sharing_tier = 'public', batch_id = excluded.batch_id",
                [self.key(record), feed, batch[0]],
            )

    def stand(self, record: str, status: str = "in_force", tier: str = "public") -> None:
        """What the mart says of a record that readers see."""
        with connect() as connection:
            connection.execute(
                "update mart.queryable_credit_record set status = %s, sharing_tier = %s where record_key = %s",
                [status, tier, self.key(record)],
            )

    def remove(self, record: str, kind: str = "repair") -> None:
        """No outlet shows it any more."""
        with connect() as connection:
            connection.execute(
                "delete from mart.queryable_credit_record where record_key = %s", [self.key(record)]
            )
            connection.execute(
                "insert into ops.suppression (record_key, origin, kind) values (%s, 'event', %s)"
                " on conflict do nothing",
                [self.key(record), kind],
            )

    def expected(self, *records: str) -> Holdings:
        """What the platform should hold if these records are shareable."""
        return {
            str(self.key(record)): {"feed": self.cells[record][0], **self.cells[record][1]}
            for record in records
        }


def stand_in_mart() -> None:
    """A publication, and a table in the place of the mart: the columns the exchange reads."""
    with connect() as connection:
        connection.execute(
            "create table mart.queryable_credit_record (record_key uuid primary key, feed text, status text,"
            " sharing_tier text, batch_id bigint, source_row bigint)"
        )
        connection.execute(
            "insert into ops.publication (business_date, state) values (%s, 'published')", [NIGHT]
        )
        connection.execute("insert into ops.current_publication (publication_id) select 1")
