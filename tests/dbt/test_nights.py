"""The whole project over many nights: what is built from the affected set equals what is built from everything."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest

from credit_warehouse import publication
from credit_warehouse.database import connect

from .city import Row, decide, deliver, key_of, take_back
from .conftest import Build
from .recount import miscounted, show_small_counts

FIRST_NIGHT = date(2026, 3, 2)
MARTS = {
    "queryable_credit_record": "record_key",
    "subject_credit_profile": "subject_key",
    "department_coverage_daily": "business_date, feed",
    "catalogue_refusal": "business_date, feed, rule, field",
    "feed": "feed",
    "catalogue_item": "catalogue_item_code, version",
    "objection": "objection_id",
    "population_movement": "coverage_key",
    "repair": "repair_id",
    "reporting_delay_daily": "business_date, feed, district_code, delay_workdays",
    "district_daily": "business_date, feed, district_code",
    "reporting_period": "feed, period_end",
    "spot_check_monthly": "month, feed",
    "declared_production_monthly": "month, feed",
    "feedback_item": "rejection_id",
    "exchange_status": "platform, feed, business_date",
    "credit_record_tally": "measure, month, record_category, effect, authority_key, list_name",
    "credit_subject_tally": "record_category, effect, subject_type",
}


def read(mart: str, as_of: int) -> list[tuple[Any, ...]]:
    with connect(as_of) as connection:
        return connection.execute(f"select * from mart.{mart} order by {MARTS[mart]}").fetchall()


def read_stored(mart: str, as_of: int) -> list[tuple[Any, ...]]:
    """What a publication holds, whatever readers may still see of it."""
    with connect() as connection:
        rows = connection.execute(
            f"select * from mart_store.{mart} where valid_from_publication <= %(n)s"
            f" and (valid_to_publication is null or valid_to_publication > %(n)s) order by {MARTS[mart]}",
            {"n": as_of},
        ).fetchall()
    return [row[:-2] for row in rows]


def read_core() -> dict[str, list[tuple[Any, ...]]]:
    tables = {
        "credit_record": "record_key",
        "subject": "subject_key",
        "batch_count": "batch_id",
        "row_subject": "batch_id, source_row",
        "subject_alias": "alias_key",
        "reference_name": "subject_key, name_key",
        "identity_collision": "identity_key, kind",
        "organisation_responsible_person": "record_key, role",
        "register_member": "record_key",
        "population_spell": "population, group_name, subject_key, from_day",
    }
    with connect() as connection:
        return {
            table: connection.execute(f"select * from core.{table} order by {key}").fetchall()
            for table, key in tables.items()
        }


def written(candidate: int) -> dict[str, list[tuple[Any, ...]]]:
    """Rows a candidate opened or closed, by mart; only marts it wrote to."""
    with connect() as connection:
        rows = {
            mart: connection.execute(
                f"select * from mart_store.{mart} where %(n)s in (valid_from_publication, valid_to_publication)",
                {"n": candidate},
            ).fetchall()
            for mart in MARTS
        }
    return {mart: found for mart, found in rows.items() if found}


class RandomCity:
    """Deliveries with dates on all sides of the nights, so that records end, expire and have anniversaries; of
    organisations under old codes and new ones, which now and then are claimed twice, and of persons under two names."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.batches: list[int] = []
        self.links: dict[uuid.UUID, tuple[uuid.UUID, int]] = {}

    def one_night(self, night: date) -> None:
        for feed, rows in self._feeds(night).items():
            if rows and self.chance.random() < 0.8:
                late = self.chance.random() < 0.3
                delivered_for = night - timedelta(days=self.chance.randrange(1, 40)) if late else night
                taken = delivered_for if self.chance.random() < 0.3 else night
                self.batches.append(
                    deliver(
                        feed, taken, rows, delivered_for, self.chance.randrange(3), self.chance.random() < 0.2
                    )
                )

    def change_records(self, night: date) -> None:
        """Officers' entries, also about records that are not here yet; those that do not fit are refused."""
        kinds = (
            "revocation", "repair", "objection_filed", "objection_upheld", "objection_dismissed", "correction",
            "reinstatement", "severity_finding",
        )  # fmt: skip
        for _ in range(self.chance.randrange(5)):
            feed, name = self.chance.choice(
                [("market_regulation.administrative_penalty", "P"), ("court.dishonest_judgment_debtor", "D")]
            )
            kind = self.chance.choice(kinds)
            with contextlib.suppress(psycopg.errors.RaiseException), connect() as connection:
                connection.execute(
                    "insert into ops.record_event (record_key, kind, effective_on, document_no, reason, objection_no,"
                    " severity) values (%s, %s, %s, '文号', '理由', %s, %s)",
                    [
                        key_of(feed, f"{name}{self.chance.randrange(6)}"),
                        kind,
                        night - timedelta(days=self.chance.randrange(5)),
                        f"异议{self.chance.randrange(3)}" if kind.startswith("objection") else None,
                        self.chance.choice(["轻微", "严重"]) if kind == "severity_finding" else None,
                    ],
                )

    def decide_about_matches(self) -> None:
        """Now and then an officer links a debtor's record to a person, or takes that back."""
        record = key_of("court.dishonest_judgment_debtor", f"D{self.chance.randrange(4)}")
        if self.chance.random() < 0.5 or not self.batches:
            return
        if record in self.links:
            decide("undo", record, *self.links.pop(record))
        else:
            person = key_of(f"person{self.chance.randrange(3)}")
            self.links[record] = (person, decide("link", record, person))

    def declare_production(self, night: date) -> None:
        """Departments say how many decisions a month had: also of months to come, again, or that they said it wrongly."""
        feed = self.chance.choice(
            ["market_regulation.administrative_penalty", "court.dishonest_judgment_debtor"]
        )
        month = (night - timedelta(days=self.chance.choice([-20, 5, 30, 400]))).replace(day=1)
        with connect() as connection:
            connection.execute(
                "insert into ops.declared_production (department_code, feed, month, produced, source, document, is_void)"
                " select department_code, feed, %s, %s, '函告', '文号', %s from ops.feed where feed = %s",
                [month, self.chance.randrange(5), self.chance.random() < 0.2, feed],
            )

    def enter(self, night: date) -> None:
        """What officers and departments enter beside records: of long ago and ahead of time, again, or taken back."""
        feed = self.chance.choice(
            [
                "market_regulation.administrative_penalty",
                "court.dishonest_judgment_debtor",
                "tax.taxpayer_a_grade",
            ]
        )
        day = night - timedelta(days=self.chance.choice([-9, -1, 0, 1, 2, 8, 33]))
        is_void = self.chance.random() < 0.2
        with connect() as connection:
            if self.chance.random() < 0.4:
                connection.execute(
                    "insert into ops.outage (scope, started_on, ended_on, reason, document, is_void)"
                    " values (%s, %s, %s, '停机', '文号', %s)",
                    [
                        self.chance.choice([feed, feed.split(".")[0], "*"]),
                        day,
                        day + timedelta(days=self.chance.randrange(4)),
                        is_void,
                    ],
                )
            if self.chance.random() < 0.4:
                connection.execute(
                    "insert into ops.zero_report (department_code, feed, reported_for, reported_on, source, document, is_void)"
                    " select department_code, feed, %s, %s, '函告', '文号', %s from ops.feed where feed = %s",
                    [day, day + timedelta(days=self.chance.randrange(12)), is_void, feed],
                )
            if self.chance.random() < 0.4:
                connection.execute(
                    "insert into ops.spot_check (sampler, source, sampled_on, department_code, feed, document_no, found,"
                    " fields_checked, fields_wrong, document, is_void)"
                    " select '抽查组', '函告', %s, department_code, feed, %s, %s, 9, %s, '文号', %s"
                    " from ops.feed where feed = %s",
                    [
                        day,
                        str(self.chance.randrange(3)),
                        self.chance.random() < 0.7,
                        self.chance.randrange(9),
                        is_void,
                        feed,
                    ],
                )
            if self.chance.random() < 0.4:
                connection.execute(
                    "insert into ops.outcome (business_date, source, feed, step, state)"
                    " values (%s, %s, %s, 'settle', 'unchanged')",
                    [
                        night - timedelta(days=self.chance.choice([0, 0, 1, 12])),
                        feed.split(".")[0],
                        feed,
                    ],
                )

    def _feeds(self, night: date) -> dict[str, list[Row]]:
        return {
            "market_regulation.enterprise_registration": self._rows(self._register, night, 6),
            "market_regulation.administrative_penalty": self._rows(self._penalty, night, 6),
            "court.dishonest_judgment_debtor": self._rows(self._debtor, night, 4),
            "tax.taxpayer_a_grade": self._rows(self._a_grade, night, 5),
        }

    def _rows(self, make: Callable[[date, int], Row], night: date, records: int) -> list[Row]:
        return [make(night, self.chance.randrange(records)) for _ in range(self.chance.randrange(4))]

    def _register(self, night: date, number: int) -> Row:
        values = {"uscc": f"U{number}", "enterprise_name": f"企业{number}", "updated_at": self._moment(night)}
        values |= {"region_code": self.chance.choice(["441302", "441303"]), "approved_on": self._day(night)}
        claimed = number if self.chance.random() < 0.9 else self.chance.randrange(8)
        return self._organisation(f"U{number}", number, values, self._gone(), claimed)

    def _organisation(
        self,
        record: str,
        number: int,
        values: dict[str, Any],
        is_withdrawal: bool,
        claimed: int | None = None,
    ) -> Row:
        """The organisation under its USCC, or under the code it had before. Only the register may claim another's code: in
        every other row the code is part of the USCC."""
        name = f"企业{self.chance.choice([number, number, number, 0])}"
        if self.chance.random() < 0.35:
            return Row(record, f"O{number}", values, is_withdrawal, id_type="org_code", name=name)
        aliases = (f"O{number if claimed is None else claimed}",)
        return Row(record, f"U{number}", values, is_withdrawal, name=name, aliases=aliases)

    def _penalty(self, night: date, number: int) -> Row:
        decided = self._day(night)
        values = {
            "party_name": f"企业{number}",
            "decision_date": decided,
            "valid_until": decided + timedelta(days=self.chance.randrange(500)),
            "display_until": self.chance.choice([None, night + timedelta(days=self.chance.randrange(30))]),
            "updated_at": self._moment(night),
        }
        return self._organisation(f"P{number}", self.chance.randrange(8), values, self._gone())

    def _debtor(self, night: date, number: int) -> Row:
        values = {
            "party_name": "张三丰",
            "published_on": self._day(night),
            "removed_on": self.chance.choice([None, None, self._day(night)]),
            "updated_at": self._moment(night),
        }
        person = self.chance.choice([None, f"person{self.chance.randrange(3)}"])
        name = self.chance.choice(["张三丰", "张三丰", "张三峰"])
        return Row(f"D{number}", person, values, self._gone(), "person" if person else None, name=name)

    def _a_grade(self, night: date, number: int) -> Row:
        values = {
            "rating_year": 2018 + number,
            "rated_on": self._day(night),
            "updated_at": self._moment(night),
        }
        return self._organisation(f"A{number}", self.chance.randrange(8), values, self._gone())

    def _day(self, night: date) -> date:
        """Up to three years ago, often just around an anniversary of these nights."""
        years = timedelta(days=365 * self.chance.randrange(4))
        return (
            night
            - years
            - timedelta(days=self.chance.randrange(-20, 40) if years else self.chance.randrange(40))
        )

    def _moment(self, night: date) -> datetime:
        return datetime.combine(
            night - timedelta(days=self.chance.randrange(3)), time(self.chance.randrange(24))
        )

    def _gone(self) -> bool:
        return self.chance.random() < 0.1


@pytest.mark.parametrize("seed", [1, 2])
def test_affected_set_equals_full_rebuild(build: Build, seed: int) -> None:
    city = RandomCity(seed)
    chance = random.Random(seed)
    night = FIRST_NIGHT
    with connect() as connection:
        show_small_counts(connection)
    shown: dict[int, dict[str, list[tuple[Any, ...]]]] = {}
    for _ in range(6):
        city.one_night(night)
        city.change_records(night)
        city.decide_about_matches()
        city.declare_production(night)
        city.enter(night)
        candidate = build(night)
        if chance.random() < 0.4:
            once = {mart: read(mart, candidate) for mart in MARTS}
            build(night, candidate=candidate)
            assert {mart: read(mart, candidate) for mart in MARTS} == once
        if city.batches and chance.random() < 0.3:
            take_back(city.batches.pop(chance.randrange(len(city.batches))), candidate)
            build(night, candidate=candidate)
        if chance.random() < 0.2:
            with connect() as connection:
                connection.execute(
                    "update ops.display_rule set max_months = %s where display_class = %s",
                    [chance.choice([1, 12, 36]), chance.choice(["penalty", "judgment_debtor"])],
                )
                connection.execute(
                    "update ops.catalogue_item set report_sla_workdays = %s where catalogue_item_code = %s",
                    [chance.randrange(1, 30), chance.choice(["XY-03-001", "XY-06-001"])],
                )
                connection.execute(
                    "update ops.deadline set amount = %s where procedure in ('objection', 'repair') and region = '*'",
                    [chance.randrange(1, 9)],
                )
            build(night, candidate=candidate)
        if chance.random() < 0.3:
            publication.discard(candidate, "test")
            assert written(candidate) == {}
        else:
            publication.publish(candidate, "test")
            with connect() as connection:
                assert not miscounted(connection)
            shown[candidate] = {mart: read_stored(mart, candidate) for mart in MARTS}
        night += timedelta(days=chance.choice([0, 1, 1, 1, 3, 25]))

    last = build(night)
    publication.publish(last, "test")
    shown[last] = {mart: read_stored(mart, last) for mart in MARTS}
    core = read_core()
    full = build(night, "--full-refresh")
    assert written(full) == {}, "a full rebuild finds nothing the affected sets had missed"
    assert read_core() == core
    for number, marts in shown.items():
        assert {mart: read_stored(mart, number) for mart in MARTS} == marts


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_sixty_nights_one_by_one_equal_one_rebuild(build: Build) -> None:
    """Past the day on which the display rules change, with everything that changes a record on the way."""
    city = RandomCity(3)
    first = date(2026, 2, 20)
    for number in range(60):
        night = first + timedelta(days=number)
        city.one_night(night)
        city.change_records(night)
        city.declare_production(night)
        city.enter(night)
        publication.publish(build(night), "test")
    nightly = {mart: read_stored(mart, publication.current() or 0) for mart in MARTS}
    core = read_core()
    full = build(night, "--full-refresh")
    assert written(full) == {}
    assert read_core() == core
    assert {mart: read_stored(mart, full) for mart in MARTS} == nightly
    for mart in (
        "queryable_credit_record",
        "subject_credit_profile",
        "objection",
        "declared_production_monthly",
        "reporting_period",
        "spot_check_monthly",
    ):
        assert nightly[mart]


def test_an_item_that_leaves_the_catalogue_takes_its_records_along(build: Build) -> None:
    """On its day, with nothing delivered; and what was decided before the item was in force never counted."""
    old = {"decision_date": date(1990, 1, 1), "valid_until": date(2099, 12, 31)}
    new = {"decision_date": date(2026, 2, 2), "valid_until": date(2099, 12, 31)}
    feed = "market_regulation.administrative_licence"
    deliver(feed, FIRST_NIGHT, [Row("L1", "A", new), Row("L2", "A", old)])
    first = build(FIRST_NIGHT)
    publication.publish(first, "test")

    def licences(as_of: int) -> list[tuple[Any, ...]]:
        with connect(as_of) as connection:
            return connection.execute(
                "select record_key, catalogue_version, legal_basis from mart.credit_record"
            ).fetchall()

    assert licences(first) == [(key_of(feed, "L1"), 1, "中华人民共和国行政许可法 第四十条")]
    with connect() as connection:
        connection.execute(
            "update ops.catalogue_item set withdrawn_on = %s, withdrawn_document = '函', withdrawn_reason = '调整'"
            " where catalogue_item_code = 'XY-03-002'",
            [FIRST_NIGHT + timedelta(days=2)],
        )
    second = build(FIRST_NIGHT + timedelta(days=1))
    publication.publish(second, "test")
    assert len(licences(second)) == 1
    third = build(FIRST_NIGHT + timedelta(days=2))
    assert licences(third) == []


def test_what_a_discarded_candidate_left_in_core_is_cleared(build: Build) -> None:
    """A correction is built, its candidate discarded, and then its batch refused: nothing of it may stay."""
    first_values = {
        "party_name": "甲",
        "decision_date": FIRST_NIGHT,
        "valid_until": FIRST_NIGHT + timedelta(days=90),
    }
    deliver("market_regulation.administrative_penalty", FIRST_NIGHT, [Row("P1", "A", first_values)])
    first = build(FIRST_NIGHT)
    publication.publish(first, "test")
    before = read_core()

    night = FIRST_NIGHT + timedelta(days=1)
    moved = first_values | {"party_name": "乙", "updated_at": datetime.combine(night, time(9))}
    batch = deliver("market_regulation.administrative_penalty", night, [Row("P1", "B", moved)])
    second = build(night)
    with connect(second) as connection:
        found = connection.execute("select display_name from mart.subject_credit_profile").fetchall()
        assert found == [("乙",)], "the record has moved from one subject to another"
    take_back(batch, second)
    publication.discard(second, "test")

    third = build(night)
    assert read_core() == before
    with connect(third) as connection:
        found = connection.execute("select display_name from mart.subject_credit_profile").fetchall()
        assert found == [("甲",)]
        in_force = connection.execute("select party_name, versions from mart.credit_record").fetchall()
        assert in_force == [("甲", 1)]


def test_what_is_accepted_during_a_build_waits_for_the_next_candidate(build: Build) -> None:
    penalty = {"decision_date": FIRST_NIGHT}
    deliver("market_regulation.administrative_penalty", FIRST_NIGHT, [Row("P1", "A", penalty)])
    first = build(FIRST_NIGHT)
    deliver("market_regulation.administrative_penalty", FIRST_NIGHT, [Row("P2", "A", penalty)])
    shown = {mart: read(mart, first) for mart in MARTS}
    build(FIRST_NIGHT, candidate=first)
    assert {mart: read(mart, first) for mart in MARTS} == shown
    publication.publish(first, "test")

    second = build(FIRST_NIGHT)
    with connect(second) as connection:
        found = connection.execute(
            "select accepted_rows, new_records from mart.department_coverage_daily"
        ).fetchall()
    assert found == [(2, 2)]


def test_passing_days_and_catalogue_changes_reach_what_was_not_delivered(build: Build) -> None:
    """Nothing is delivered after the first night, and each later candidate changes exactly the subject it should."""
    decided = date(2025, 3, 3)
    penalty = {"decision_date": decided, "valid_until": date(2030, 1, 1), "display_until": FIRST_NIGHT}
    deliver("market_regulation.administrative_penalty", FIRST_NIGHT, [Row("P1", "expiring", penalty)])
    licence = {"decision_date": decided, "valid_from": decided, "valid_until": FIRST_NIGHT}
    deliver("market_regulation.administrative_licence", FIRST_NIGHT, [Row("L1", "ending", licence)])
    register = {"approved_on": decided, "established_on": decided}
    deliver("market_regulation.enterprise_registration", FIRST_NIGHT, [Row("U1", "anniversary", register)])
    debtor = {"published_on": decided, "filing_date": decided}
    deliver("court.dishonest_judgment_debtor", FIRST_NIGHT, [Row("D1", "listed", debtor)])
    first = build(FIRST_NIGHT)
    publication.publish(first, "test")

    def profiles(as_of: int) -> dict[str, tuple[Any, ...]]:
        names = {key_of(name): name for name in ("expiring", "ending", "anniversary", "listed")}
        with connect(as_of) as connection:
            rows = connection.execute(
                "select subject_key, records_in_force, past_records, years_without_adverse, lists"
                " from mart.subject_credit_profile"
            ).fetchall()
        return {names[row[0]]: row[1:] for row in rows}

    before = {
        "expiring": (1, 0, 0, []),
        "ending": (1, 0, 0, []),
        "anniversary": (1, 0, 0, []),
        "listed": (1, 0, 0, ["失信被执行人名单"]),
    }
    assert profiles(first) == before

    second = build(FIRST_NIGHT + timedelta(days=1))
    after = before | {"expiring": (0, 1, 0, []), "ending": (0, 1, 1, []), "anniversary": (1, 0, 1, [])}
    assert profiles(second) == after
    publication.publish(second, "test")

    with connect() as connection:
        connection.execute(
            "update ops.display_rule set max_months = 12 where display_class = 'judgment_debtor'"
        )
    third = build(FIRST_NIGHT + timedelta(days=2))
    assert profiles(third) == after | {"listed": (0, 1, 0, [])}
    publication.publish(third, "test")
    assert written(build(FIRST_NIGHT + timedelta(days=2), "--full-refresh")) == {}
    # What has expired since is shown no more, whichever publication is read.
    assert profiles(first) == before | {"expiring": (0, 1, 0, [])}


def test_order_of_the_nights_does_not_matter(build: Build) -> None:
    """A correction that arrives before what it corrects."""
    day = FIRST_NIGHT + timedelta(days=1)

    def rows(name: str, night: date) -> list[Row]:
        return [Row("U1", "U1", {"enterprise_name": name, "updated_at": datetime.combine(night, time(8))})]

    feed = "market_regulation.enterprise_registration"
    deliver(feed, day, rows("新名称", day))
    first = build(day)
    publication.publish(first, "test")
    deliver(feed, FIRST_NIGHT, rows("旧名称", FIRST_NIGHT))
    second = build(FIRST_NIGHT)
    with connect(second) as connection:
        found = connection.execute(
            "select party_name, versions, first_received_on from mart.credit_record"
        ).fetchall()
        assert found == [("新名称", 2, FIRST_NIGHT)]
        coverage = connection.execute(
            "select business_date, new_records from mart.department_coverage_daily order by 1"
        ).fetchall()
    assert coverage == [(FIRST_NIGHT, 1), (day, 0)]


def test_persons_appear_only_masked(build: Build) -> None:
    number, name = "441302199003071234", "欧阳修远"
    penalty = {
        "party_name": name,
        "resident_id": number,
        "content": f"对{name}罚款",
        "violation_facts": f"{name}与王五",
    }
    deliver(
        "market_regulation.administrative_penalty", FIRST_NIGHT, [Row("P1", "one", penalty, False, "person")]
    )
    debtor = {"party_name": name, "resident_id": number, "obligation": f"{name}向王五偿还"}
    deliver("court.dishonest_judgment_debtor", FIRST_NIGHT, [Row("D1", None, debtor, False, None)])
    candidate = build(FIRST_NIGHT)
    with connect(candidate) as connection:
        found = connection.execute(
            "select party_name, content, subject_key from mart.credit_record order by feed"
        )
        assert found.fetchall() == [("欧*", "全部未履行", None), ("欧*", "对欧*罚款", key_of("one"))]
        for schema in ("staging", "core", "mart_store"):
            tables = connection.execute(
                "select table_name from information_schema.tables where table_schema = %s", [schema]
            )
            for (table,) in tables.fetchall():
                text = connection.execute(
                    f"select string_agg(t::text, ' ') from {schema}.{table} as t"
                ).fetchone()
                assert text is not None
                for word in (number, "欧阳", "王五"):
                    assert word not in (text[0] or ""), f"{schema}.{table}"
