"""What is taken from the raw rows: which records name nobody, and what they are compared by."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from credit_warehouse import pipeline
from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from tests.dbt import city
from tests.dbt.city import Row

DEBTOR = "court.dishonest_judgment_debtor"
NIGHT = date(2026, 3, 2)
MASKED = {"party_type": "自然人", "party_name": "王样例", "resident_id": "4413991985****1234", "age": 41}


def unlinked(*columns: str) -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(
            f"select {', '.join(columns)} from vault.unlinked_record order by record_key"
        ).fetchall()


def test_every_feed_of_records_can_be_gathered(warehouse: str) -> None:
    feeds = sorted(feed for feed, contract in load_contracts().items() if contract.terms.record)
    for feed in feeds:
        city.deliver(feed, NIGHT, [Row("masked", None, {}, subject_type=None), Row("known", feed, {})])
    assert pipeline.propose_matches(NIGHT).records == len(feeds)
    assert sorted(unlinked("feed", "name")) == [(feed, "甲") for feed in feeds]
    with connect() as connection:
        known = connection.execute("select subject_key, name from vault.known_as").fetchall()
    assert sorted(known) == sorted((city.key_of(feed), "甲") for feed in feeds)


@pytest.mark.parametrize(
    ("later", "stays"),
    [
        (Row("r", "somebody", {"resident_id": "441399198501011234"}, subject_type="person"), False),
        (Row("r", None, {"status": "撤销"}, is_withdrawal=True, subject_type=None), False),
        (Row("r", None, MASKED, subject_type=None), True),
    ],
    ids=["named", "withdrawn", "still masked"],
)
def test_the_newest_version_decides(warehouse: str, later: Row, stays: bool) -> None:
    city.deliver(DEBTOR, NIGHT, [Row("r", None, MASKED, subject_type=None)])
    pipeline.propose_matches(NIGHT)
    assert len(unlinked("record_key")) == 1
    tomorrow = NIGHT + timedelta(days=1)
    city.deliver(DEBTOR, tomorrow, [later])
    pipeline.propose_matches(tomorrow)
    assert bool(unlinked("record_key")) is stays


def test_an_older_version_sent_again_changes_nothing(warehouse: str) -> None:
    tomorrow = NIGHT + timedelta(days=1)
    city.deliver(DEBTOR, tomorrow, [Row("r", "somebody", {}, subject_type="person")])
    pipeline.propose_matches(tomorrow)
    city.deliver(DEBTOR, NIGHT, [Row("r", None, MASKED, subject_type=None)])
    pipeline.propose_matches(tomorrow)
    assert unlinked("record_key") == []


def test_persons_and_organisations_are_told_apart(warehouse: str) -> None:
    firm = {
        "party_type": "法人或其他组织",
        "party_name": "惠州市拟恒达商贸有限公司",
        "legal_representative": "李样例",
    }
    rows = [Row(name, None, values, subject_type=None) for name, values in (("p", MASKED), ("o", firm))]
    city.deliver(DEBTOR, NIGHT, rows)
    pipeline.propose_matches(NIGHT)
    found = {
        row[0]: row[1:]
        for row in unlinked("subject_type", "visible_digits", "age", "name_core", "representative")
    }
    assert found == {
        "person": ("4413991985123", 41, None, None),
        "organisation": (None, None, "拟恒达商贸", "李样例"),
    }


AS_COMPARED = (
    ("identity.canonical_name", "　阿依·古丽 ", "阿依古丽"),
    ("identity.canonical_name", "惠州拟恒达（集团）ＡＢ有限公司", "惠州拟恒达(集团)AB有限公司"),
    ("vault.name_core", "广东省惠州市惠城区拟恒达餐饮管理店", "拟恒达餐饮管理店"),
    ("vault.name_core", "拟恒达（惠州）商贸有限责任公司", "拟恒达商贸"),
    ("vault.name_core", "惠州市拟恒达商贸股份有限公司", "拟恒达商贸"),
    ("vault.name_core", "有限公司", "有限公司"),
    ("vault.visible_digits", "441399198501011234", "4413991985123"),
    ("vault.visible_digits", "4413991985****123*", "4413991985123"),
    ("vault.visible_digits", "E12345678", None),
    ("vault.visible_digits", None, None),
)


def test_names_and_numbers_as_they_are_compared(warehouse: str) -> None:
    with connect() as connection:
        for function, given, result in AS_COMPARED:
            found = connection.execute(f"select {function}(%s)", [given]).fetchone()
            assert found == (result,), (function, given)
