"""Whom a record is about, as far as identifiers say: crosswalk, held names, collisions, responsible persons."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from typer.testing import CliRunner

from credit_warehouse import publication
from credit_warehouse.cli import app
from credit_warehouse.database import connect

from .city import Row, decide, deliver, key_of, take_back
from .conftest import Build

FIRST = date(2026, 3, 2)
REGISTER = "market_regulation.enterprise_registration"
PENALTY = "market_regulation.administrative_penalty"
DEBTOR = "court.dishonest_judgment_debtor"
VIOLATION = "tax.major_tax_violation"
POPULATION = "data_administration.population_register"


def night(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload]


def subjects() -> dict[uuid.UUID, uuid.UUID | None]:
    return dict(rows("select record_key, subject_key from core.credit_record"))


def resolutions() -> dict[uuid.UUID, str]:
    return dict(rows("select record_key, resolution from core.row_subject"))


def matched() -> list[tuple[Any, ...]]:
    return rows(
        "select business_date, feed, matchable_rows, matched_rows from core.batch_count order by 1, 2"
    )


def collisions() -> set[tuple[uuid.UUID, str]]:
    return set(rows("select identity_key, kind from core.identity_collision"))


def legacy(record: str) -> Row:
    """A penalty under an organisation code only."""
    values = {"decision_date": FIRST, "valid_until": date(2030, 1, 1)}
    return Row(record, "O1", values, id_type="org_code", name="甲")


def test_an_old_code_joins_its_organisation_and_leaves_it_when_another_claims_it(build: Build) -> None:
    deliver(PENALTY, night(1), [legacy("P1")])
    publication.publish(build(night(1)), "test")
    record = key_of(PENALTY, "P1")
    assert subjects() == {record: key_of("O1")}, "on its own until somebody is known to have the code"
    assert matched() == [(night(1), PENALTY, 1, 0)]

    deliver(REGISTER, night(2), [Row("U1", "U1", {"uscc": "U1"}, name="甲", aliases=("O1",))])
    publication.publish(build(night(2)), "test")
    assert subjects()[record] == key_of("U1")
    assert resolutions()[record] == "alias"
    profile = rows("select organisation_uscc, records_in_force from mart.subject_credit_profile")
    assert profile == [("U1", 2)], "one organisation, not two"

    deliver(PENALTY, night(3), [legacy("P2")])
    third = build(night(3))
    assert (night(3), PENALTY, 1, 1) in matched()
    publication.publish(third, "test")

    claim = deliver(REGISTER, night(4), [Row("U2", "U2", {"uscc": "U2"}, name="乙", aliases=("O1",))])
    fourth = build(night(4))
    assert subjects()[record] == key_of("O1"), "claimed twice, it is nobody's"
    assert (night(3), PENALTY, 1, 0) in matched(), "a night that is past is counted again"
    assert collisions() == {(key_of("O1"), "shared_alias")}

    take_back(claim, fourth)
    build(night(4), candidate=fourth)
    assert subjects()[record] == key_of("U1")
    assert (night(3), PENALTY, 1, 1) in matched()
    assert collisions() == set()


def test_a_persons_number_under_another_name_is_held(build: Build) -> None:
    def debt(record: str, name: str) -> Row:
        return Row(record, "person", {"party_name": name}, False, "person", name=name)

    deliver(DEBTOR, night(2), [debt("D2", "李四")])
    publication.publish(build(night(2)), "test")
    assert subjects() == {key_of(DEBTOR, "D2"): key_of("person")}

    deliver(DEBTOR, night(3), [debt("D3", "李四"), debt("D1", "张三")])
    publication.publish(build(night(3)), "test")
    assert subjects()[key_of(DEBTOR, "D1")] is None
    assert resolutions()[key_of(DEBTOR, "D1")] == "held"
    assert (key_of("person"), "person_names") in collisions()

    # What was delivered for an earlier day comes later, and is the name the number is trusted under.
    deliver(DEBTOR, night(4), [debt("D0", "张三")], delivered_for=night(1))
    publication.publish(build(night(4)), "test")
    found = subjects()
    assert found[key_of(DEBTOR, "D0")] == found[key_of(DEBTOR, "D1")] == key_of("person")
    assert found[key_of(DEBTOR, "D2")] is None
    held = rows("select count(*) from mart.credit_record where subject_key is null")
    assert held == [(2,)], "shown as a record, and as nobody's"


def test_a_name_that_only_a_feed_of_changes_told_refers_to_nobody_yet(build: Build) -> None:
    """The vault remembers it, no row of a record or register does: the first of those is the reference."""
    told = deliver("court.debtor_change", night(1), [])
    with connect() as connection:
        connection.execute(
            "insert into vault.subject_name values (%s, %s, '张三', %s)",
            [key_of("person"), key_of("name", "张三"), told],
        )
    deliver(DEBTOR, night(1), [Row("D1", "another", {"party_name": "李四"}, False, "person", name="李四")])
    publication.publish(build(night(1)), "test")
    deliver(DEBTOR, night(2), [Row("D2", "person", {"party_name": "张三"}, False, "person", name="张三")])
    publication.publish(build(night(2)), "test")
    assert subjects()[key_of(DEBTOR, "D2")] == key_of("person")


def test_the_population_register_knows_best_though_it_comes_last(build: Build) -> None:
    """All its names, for people change theirs."""
    debts = [
        Row(f"D{name}", "person", {"party_name": name}, False, "person", name=name)
        for name in ("李四", "张三")
    ]
    deliver(DEBTOR, night(1), debts)
    publication.publish(build(night(1)), "test")
    first, second = (key_of(DEBTOR, f"D{name}") for name in ("李四", "张三"))
    assert subjects() == {first: key_of("person"), second: None}

    def entry(name: str) -> Row:
        return Row("R1", "person", {}, False, "person", name=name)

    deliver(POPULATION, night(2), [entry("张三")])
    publication.publish(build(night(2)), "test")
    assert subjects() == {first: None, second: key_of("person")}

    deliver(POPULATION, night(3), [entry("李四")])
    build(night(3))
    assert subjects() == {first: key_of("person"), second: key_of("person")}


def test_an_officers_decision_goes_before_every_identifier_and_can_be_undone(build: Build) -> None:
    """A masked record is linked, a held one released; each undone leaves no trace in what is shown."""
    masked = Row("D0", None, {"party_name": "张三"}, False, None, name="张三")
    named = [
        Row(f"D{number}", "person", {"party_name": name}, False, "person", name=name)
        for number, name in ((1, "张三"), (2, "李四"))
    ]
    deliver(DEBTOR, night(1), [masked, *named])
    first = build(night(1))
    publication.publish(first, "test")
    records = [key_of(DEBTOR, f"D{number}") for number in range(3)]
    assert [subjects()[record] for record in records] == [None, key_of("person"), None]
    before = profile()

    decisions = [decide("link", record, key_of("person")) for record in (records[0], records[2])]
    assert [subjects()[record] for record in records] == [None, key_of("person"), None], (
        "not before a candidate"
    )
    second = build(night(2))
    assert {resolutions()[record] for record in (records[0], records[2])} == {"decision"}
    assert {subjects()[record] for record in records} == {key_of("person")}
    assert profile() == [(key_of("person"), 3)]
    publication.publish(second, "test")

    for decision, record in zip(decisions, (records[0], records[2]), strict=True):
        decide("undo", record, key_of("person"), decision)
    third = build(night(2))
    assert [subjects()[record] for record in records] == [None, key_of("person"), None]
    assert profile() == before
    publication.publish(third, "test")


def test_a_decision_counts_for_the_night_the_row_came_in(build: Build) -> None:
    """A row without an identifier is linked to an organisation, by the code it had before: it is the present one's."""
    register = Row("U1", "U1", {"uscc": "U1"}, name="甲")
    deliver(REGISTER, night(1), [register])
    deliver(DEBTOR, night(1), [Row("D0", None, {"party_name": "甲"}, False, None, name="甲")])
    publication.publish(build(night(1)), "test")
    assert matched() == [(night(1), DEBTOR, 0, 0), (night(1), REGISTER, 1, 1)]

    decide("link", key_of(DEBTOR, "D0"), key_of("O1"), subject_type="organisation")
    deliver(PENALTY, night(2), [legacy("P1")])
    publication.publish(build(night(2)), "test")
    assert subjects()[key_of(DEBTOR, "D0")] == key_of("O1")
    assert (night(1), DEBTOR, 1, 0) in matched()

    deliver(REGISTER, night(3), [Row("U1", "U1", {"uscc": "U1"}, name="甲", aliases=("O1",))])
    publication.publish(build(night(3)), "test")
    assert subjects()[key_of(DEBTOR, "D0")] == key_of("U1")
    assert (night(1), DEBTOR, 1, 1) in matched()
    whole = build(night(3), "--full-refresh")
    assert rows(
        "select count(*) from mart_store.subject_credit_profile"
        f" where {whole} in (valid_from_publication, valid_to_publication)"
    ) == [(0,)]


def profile() -> list[tuple[Any, ...]]:
    return rows(
        "select subject_key, count(*) from core.credit_record where subject_key is not null group by 1"
    )


def test_collisions_of_organisations_are_queued_and_not_held(build: Build) -> None:
    register = [
        Row("U1", "U1", {"uscc": "U1"}, name="甲公司", aliases=("O1",)),
        Row("U2", "U2", {"uscc": "U2"}, name="甲公司"),
        Row("U3", "U3", {"uscc": "U3"}, name="丙公司"),
    ]
    deliver(REGISTER, night(1), register)
    renamed = Row("U3", "U3", {"uscc": "U3"}, name="丙丁公司")
    deliver(REGISTER, night(2), [renamed])
    penalties = [
        Row("P1", "U1", {"party_name": "甲公司"}, name="甲公司"),
        Row("P2", "O1", {"party_name": "丁公司"}, id_type="org_code", name="丁公司"),
        Row("P3", "U3", {"party_name": "丙公司"}, name="丙公司"),
        Row("P4", "stranger", {"party_name": "戊"}, name="戊"),
        Row("P5", "stranger", {"party_name": "己"}, name="己"),
    ]
    deliver(PENALTY, night(2), penalties)
    build(night(2))
    assert collisions() == {
        (key_of("name", "甲公司"), "shared_name"),
        (key_of("O1"), "organisation_names"),
    }, "a former name of the register's is no conflict, and without a register there is none"
    assert subjects()[key_of(PENALTY, "P2")] == key_of("U1")


def test_the_reviewer_sees_a_collision_in_clear(build: Build) -> None:
    person = key_of("person")
    with connect() as connection:
        connection.execute(
            "insert into vault.identity values (%s, 'person', 'resident_id', '44139919850307451X', '张三', 1)",
            [person],
        )
        for name in ("张三", "李四", "王五"):
            connection.execute(
                "insert into vault.subject_name values (%s, %s, %s, 1)", [person, key_of("name", name), name]
            )
    debts = [
        Row(f"D{name}", "person", {"party_name": name}, False, "person", name=name)
        for name in ("张三", "李四")
    ]
    deliver(DEBTOR, night(1), debts)
    build(night(1))
    seen = rows(
        "select kind_label, id_value, name, delivered_names, delivered_rows from vault.identity_collision_review"
    )
    assert seen == [("同一证件号码对应多个姓名", "44139919850307451X", "张三", ["张三", "李四"], 2)]
    open_to = rows(
        "select role from unnest(array['credit_leader', 'credit_analyst', 'credit_department', 'credit_auditor']) as role"
        " where has_table_privilege(role, 'vault.identity_collision_review', 'select')"
    )
    assert open_to == []


def test_who_answers_for_an_organisation(build: Build) -> None:
    """By an identifier where the record carries one; a name alone links nobody."""
    person = key_of("person")
    violation = {"legal_representative": "张三", "finance_officer": "李四"}
    deliver(VIOLATION, night(1), [Row("T1", "U1", violation, responsible=(person, None))])
    deliver(REGISTER, night(1), [Row("U1", "U1", {"uscc": "U1", "legal_representative": "张三"})])
    publication.publish(build(night(1)), "test")
    wanted = "select record_key, role, subject_key, person_subject_key, person_name from core.organisation_responsible_person"
    expected = {
        (key_of(VIOLATION, "T1"), "法定代表人或负责人", key_of("U1"), person, "张*"),
        (key_of(VIOLATION, "T1"), "财务负责人", key_of("U1"), None, "李*"),
        (key_of(REGISTER, "U1"), "法定代表人", key_of("U1"), None, "张*"),
    }
    assert set(rows(wanted)) == expected

    deliver(REGISTER, night(2), [Row("U1", "U1", {"uscc": "U1", "legal_representative": "王五"})])
    build(night(2))
    assert (key_of(REGISTER, "U1"), "法定代表人", key_of("U1"), None, "王*") in set(rows(wanted))
    assert len(rows(wanted)) == 3


def test_a_held_record_is_found_and_decided_at_the_command_line(build: Build) -> None:
    runner = CliRunner()
    assert "尚未构建" in runner.invoke(app, ["review", "collisions"]).output
    named = [
        Row(f"D{number}", "person", {"party_name": name}, False, "person", name=name)
        for number, name in ((1, "张三"), (2, "李四"))
    ]
    deliver(DEBTOR, night(1), named)
    publication.publish(build(night(1)), "test")
    record, person = str(key_of(DEBTOR, "D2")), str(key_of("person"))

    seen = runner.invoke(app, ["review", "collisions"])
    assert seen.exit_code == 0
    assert "同一证件号码对应多个姓名" in seen.output
    assert record[:8] in seen.output and person[:8] in seen.output
    assert str(key_of(DEBTOR, "D1"))[:8] not in seen.output

    words = ["--link", "--by", "王主任", "--reason", "曾用名", "--document", "户籍证明"]
    decided = runner.invoke(app, ["review", "decide", record[:8], "--subject", person[:8], *words])
    assert decided.exit_code == 0, decided.output
    publication.publish(build(night(2)), "test")
    assert resolutions()[key_of(DEBTOR, "D2")] == "decision"
    assert record[:8] not in runner.invoke(app, ["review", "collisions"]).output
