"""What is in a package, what is not, and what became of it, with a platform that knows only files and receipts."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from stdnum.cn import ric

from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.intake.split import raw_columns, split_delivery
from credit_warehouse.upward import exchanging, ledger
from credit_warehouse.upward.building import package_path
from credit_warehouse.upward.form import as_csv
from simulator.faults import PLATFORM, Fault, FaultKind

from .office import FEEDS, LICENCE, NIGHT, PENALTY, PENALTY_2016, Office


def exchange(office: Office, **options: Any) -> exchanging.Exchanged:
    exchanging.prepare(office.settings, **options)
    return exchanging.send(office.settings, office.open_inbox, 0)


def rows(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


def packages(office: Office) -> list[tuple[int, str, int]]:
    return rows("select number, state, rows from ops.exchange_package order by number")


def arm(office: Office, kind: FaultKind, times: int = 1) -> None:
    office.board.arm(Fault(kind=kind, source=PLATFORM, times=times))


def test_the_platform_holds_what_was_delivered_in_the_form_it_was_delivered_in(office: Office) -> None:
    for number, feed in enumerate(FEEDS):
        office.deliver(str(number), feed)
    office.deliver(
        "4", PENALTY, CF_NR_FK="1.234567", CF_CFLB="罚款;警告", BZ='引号" 逗号, 换行\n止', CF_NR="内容"
    )
    assert exchange(office).answered == ["441300-000001"]
    assert office.platform.holdings == office.expected("0", "1", "2", "3", "4")
    assert exchange(office) == exchanging.Exchanged(), "nothing changed, nothing goes up"
    assert packages(office) == [(1, "acknowledged", 5)]


@pytest.mark.parametrize("feed", FEEDS)
def test_an_exported_file_passes_its_own_intake(office: Office, feed: str, tmp_path: Path) -> None:
    for record in "abc":
        office.deliver(record, feed)
    package = exchanging.prepare(office.settings)
    assert package is not None
    with zipfile.ZipFile(package_path(office.settings, "province", package.name)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        content = archive.read(f"{feed}.csv")
    contract = load_contracts()[feed]
    assert manifest["files"] == [
        {
            "name": f"{feed}.csv",
            "rows": 3,
            "sha256": hashlib.sha256(content).hexdigest(),
            "feed": feed,
            "label": contract.label,
            "edition": "2016版" if feed.endswith("2016") else "2018版",
            "columns": {field.header: field.label for field in contract.fields},
        }
    ]
    assert (
        manifest["package"],
        manifest["business_date"],
        manifest["publication"],
        manifest["previous"],
    ) == (
        "441300-000001",
        "2026-03-02",
        1,
        None,
    )
    (tmp_path / "file.csv").write_bytes(content)
    split = split_delivery(as_csv(contract), tmp_path / "file.csv", 7, NIGHT, tmp_path, office.settings)
    assert (split.accepted_rows, split.rejected_rows, split.missing_optional) == (3, 0, [])
    assert split.extra == ["operation", "record_key"]
    names = [field.name for field in contract.fields]
    with split.accepted.open(encoding="utf-8", newline="") as file:
        again = [dict(zip(raw_columns(contract), row, strict=True)) for row in csv.reader(file)]
    with (
        connect() as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy (select {', '.join(names)} from raw.{contract.relation}) to stdout csv") as copy,  # type: ignore[arg-type]
    ):
        stored = list(csv.reader(io.StringIO(b"".join(copy).decode(), newline="")))
    assert sorted([row[name] for name in names] for row in again) == sorted(stored)


MINOR_ID = f"{(body := '44139920200101001')}{ric.calc_check_digit(body)}"
A_MINOR = {
    "CF_XDR_LB": "自然人",
    "CF_XDR_SHXYM": "",
    "CF_FRDB": "",
    "CF_XDR_ZJLX": "身份证",
    "CF_XDR_ZJHM": MINOR_ID,
}


def test_what_may_not_be_shared_stays_here(office: Office) -> None:
    for record in "abcdef":
        office.deliver(record, PENALTY)
    office.stand("a", tier="authorised")
    office.stand("b", status="expired")
    office.stand("c", status="ended")
    office.stand("d", tier="government")
    office.remove("e")
    office.deliver("f", PENALTY, **A_MINOR)
    exchange(office)
    assert office.platform.holdings == office.expected("d")
    assert rows(
        "select record_key, violation ->> 'rule' from ops.exchange_held, jsonb_array_elements(violations) as violation"
    ) == [(office.key("f"), "minor")]
    assert exchange(office) == exchanging.Exchanged(), (
        "what is held back is judged again only when it changes"
    )
    office.deliver("f", PENALTY)
    exchange(office)
    assert office.platform.holdings == office.expected("d", "f")
    assert rows("select record_key from ops.exchange_held") == []


def test_what_ends_is_called_back_with_the_reason(office: Office) -> None:
    for record in "abcdef":
        office.deliver(record, PENALTY)
    exchange(office)
    office.remove("a", "repair")
    office.remove("b", "revocation")
    office.stand("c", status="expired")
    office.stand("d", tier="authorised")
    office.deliver("e", PENALTY, **A_MINOR)
    exchange(office)
    assert office.platform.holdings == office.expected("f")
    called = dict(
        rows("select record_key, call_back_reason from ops.exchange_item where operation = 'delete'")
    )
    assert called == {
        office.key("a"): "repair",
        office.key("b"): "revocation",
        office.key("c"): "expired",
        office.key("d"): "not_shareable",
        office.key("e"): "not_shareable",
    }
    office.stand("c")
    exchange(office)
    assert office.platform.holdings == office.expected("c", "f"), "what comes back in force goes up again"


def test_a_call_back_goes_out_alone_by_day_and_names_nobody(office: Office) -> None:
    office.deliver("a", PENALTY)
    office.deliver("b", LICENCE)
    exchange(office)
    office.deliver("c", PENALTY)
    office.remove("a")
    package = exchanging.prepare(office.settings, removals_only=True)
    assert package is not None
    with zipfile.ZipFile(package_path(office.settings, "province", package.name)) as archive:
        assert sorted(archive.namelist()) == ["call_backs.csv", "manifest.json"]
        assert archive.read("call_backs.csv").decode() == (
            f"operation,record_key,feed,reason\ndelete,{office.key('a')},{PENALTY},repair\n"
        )
    exchanging.send(office.settings, office.open_inbox, 0)
    assert office.platform.holdings == office.expected("b")


def test_a_record_that_comes_in_the_other_edition_is_one_record(office: Office) -> None:
    office.deliver("a", PENALTY)
    exchange(office)
    office.deliver("a", PENALTY_2016)
    exchange(office)
    assert office.platform.holdings == office.expected("a")
    assert rows("select operation, feed from ops.exchange_item order by package_id") == [
        ("insert", PENALTY),
        ("update", PENALTY_2016),
    ]


def test_delivered_again_word_for_word_does_not_go_again(office: Office) -> None:
    office.deliver("a", PENALTY)
    exchange(office)
    office.deliver("a", PENALTY)
    assert exchange(office) == exchanging.Exchanged()


@pytest.mark.parametrize(
    "fault", [FaultKind.NO_RECEIPT, FaultKind.DAMAGED_RECEIPT, FaultKind.FOREIGN_RECEIPT]
)
def test_a_receipt_that_says_nothing_is_waited_for(office: Office, fault: FaultKind) -> None:
    office.deliver("a", PENALTY)
    arm(office, fault)
    done = exchange(office)
    assert (done.waiting, done.answered) == (["441300-000001"], [])
    assert bool(done.problems) == (fault is not FaultKind.NO_RECEIPT)
    assert packages(office) == [(1, "sent", 1)]
    office.deliver("b", PENALTY)
    assert exchange(office).answered == ["441300-000002"], "later packages do not wait for it"
    office.platform.issue("441300-000001")
    assert exchanging.collect(office.settings, office.open_inbox).answered == ["441300-000001"]
    assert packages(office) == [(1, "acknowledged", 1), (2, "acknowledged", 1)]


def test_a_package_without_a_receipt_can_be_given_up(office: Office) -> None:
    office.deliver("a", PENALTY)
    office.deliver("b", PENALTY)
    arm(office, FaultKind.NO_RECEIPT)
    exchange(office)
    exchanging.abandon(office.settings, 1, "平台确认未收到")
    office.remove("b")
    exchange(office)
    assert office.platform.holdings == office.expected("a")
    assert packages(office) == [(1, "failed", 2), (2, "acknowledged", 2)]
    with pytest.raises(ledger.UnknownPackage, match="已办结"):
        exchanging.abandon(office.settings, 2, "x")


def test_an_upload_that_arrives_damaged_is_repeated_with_the_same_bytes(office: Office) -> None:
    office.deliver("a", PENALTY)
    arm(office, FaultKind.TRUNCATED_UPLOAD, times=2)
    done = exchange(office)
    assert done.sent == ["441300-000001"] * 3
    ((digest,),) = rows("select sha256 from ops.exchange_package")
    assert office.platform.processed == {"441300-000001": digest}
    office.deliver("b", PENALTY)
    arm(office, FaultKind.TRUNCATED_UPLOAD, times=3)
    with pytest.raises(SourceUnavailable, match="途中损坏"):
        exchange(office)
    exchanging.send(office.settings, office.open_inbox, 0)
    assert office.platform.holdings == office.expected("a", "b")


def test_refused_rows_wait_until_they_change_or_somebody_says_so(office: Office) -> None:
    for record in "abcd":
        office.deliver(record, PENALTY)
    arm(office, FaultKind.REJECT_ROWS)
    exchange(office)
    refused = dict(rows("select record_key, reject_reason from ops.exchange_item where outcome = 'rejected'"))
    assert len(refused) == 2
    assert set(refused.values()) == {"平台校验不通过：机关未登记"}
    assert packages(office) == [(1, "partly_rejected", 4)]
    assert exchange(office) == exchanging.Exchanged()
    changed = next(record for record in "abcd" if office.key(record) in refused)
    office.deliver(changed, PENALTY, BZ="更正")
    exchange(office)
    assert rows("select record_key, operation from ops.exchange_item where package_id > 1") == [
        (office.key(changed), "insert")
    ]
    exchange(office, retry=True)
    assert office.platform.holdings == office.expected(*"abcd")


def test_a_removal_while_the_platform_is_down_makes_the_waiting_package_void(office: Office) -> None:
    office.deliver("a", PENALTY)
    office.deliver("b", PENALTY)
    exchanging.prepare(office.settings)
    office.remove("a")
    done = exchanging.send(office.settings, office.open_inbox, 0)
    assert (done.built, done.sent) == (["441300-000002"], ["441300-000002"])
    assert office.platform.holdings == office.expected("b")
    assert list(office.platform.processed) == ["441300-000002"]
    assert rows("select state, previous_name from ops.exchange_package order by number") == [
        ("failed", None),
        ("acknowledged", None),
    ]


def test_killed_between_the_upload_and_its_note_nothing_is_uploaded_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.deliver("a", PENALTY)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ledger, "sent", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        exchange(office)
    with monkeypatch.context() as patch:
        patch.setattr(office.inbox, "deliver", lambda *_: pytest.fail("uploaded again"))
        assert exchanging.send(office.settings, office.open_inbox, 0).answered == ["441300-000001"]


def test_a_package_file_that_is_gone_is_made_up_for_by_another(office: Office) -> None:
    office.deliver("a", PENALTY)
    package = exchanging.prepare(office.settings)
    assert package is not None
    package_path(office.settings, "province", package.name).unlink()
    assert exchanging.send(office.settings, office.open_inbox, 0).sent == []
    exchange(office)
    assert office.platform.holdings == office.expected("a")


@pytest.mark.parametrize(
    "statement",
    [
        "update ops.exchange_item set digest = repeat('0', 64)",
        "update ops.exchange_item set outcome = 'waiting'",
        "update ops.exchange_package set sha256 = repeat('0', 64)",
        "update ops.exchange_package set state = 'built', receipt = null",
        "delete from ops.exchange_item",
        "delete from ops.exchange_package",
    ],
)
def test_what_left_cannot_be_rewritten(office: Office, statement: LiteralString) -> None:
    office.deliver("a", PENALTY)
    exchange(office)
    with pytest.raises(psycopg.errors.RaiseException), connect() as connection:
        connection.execute(statement)


def test_two_runs_at_once_are_one_after_the_other(office: Office) -> None:
    with ledger.alone("province"), connect() as other:
        row = other.execute(
            "select pg_try_advisory_lock(hashtext('credit_warehouse.exchange'), hashtext('province'))"
        ).fetchone()
    assert row == (False,)
