"""Propose, look, decide, take back: on real PostgreSQL, through the verbs an officer uses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from typer.testing import CliRunner

from bench import labelled_city
from bench.labelled_city import record_key, subject_key
from credit_warehouse import pipeline
from credit_warehouse.cli import app
from credit_warehouse.database import connect
from credit_warehouse.matching import review
from credit_warehouse.matching.review import DecisionRefused
from simulator.codes import make_resident_id, make_uscc, mask_resident_id
from simulator.labelled import KnownSubject, LabelledRecord
from simulator.world import RESIDENT_REGION

NIGHT = date(2026, 3, 2)
TRUE = make_resident_id(RESIDENT_REGION, "19850101", 123)
NAMESAKE = make_resident_id(RESIDENT_REGION, "19620504", 7)
COMPANY = make_uscc("91", "441302", "QQ000001")
SUBJECTS = (
    KnownSubject("person", TRUE, ("王样例",)),
    KnownSubject("person", NAMESAKE, ("王样例",)),
    KnownSubject("organisation", COMPANY, ("惠州市拟旧名商贸有限公司", "惠州市拟恒达商贸有限公司"), "李样例"),
)
MASKED = LabelledRecord("person", "masked", TRUE, "王样例", mask_resident_id(TRUE), "男", 41)
UNNUMBERED = LabelledRecord("person", "no number", TRUE, "王样例", None, "男", None)
RENAMED = LabelledRecord("organisation", "former name", COMPANY, "拟旧名商贸公司", representative="李样例")


@pytest.fixture
def proposed(warehouse: str) -> Iterator[str]:
    labelled_city.deliver_subjects(SUBJECTS)
    labelled_city.deliver_records(enumerate((MASKED, UNNUMBERED, RENAMED)))
    pipeline.propose_matches(NIGHT)
    yield warehouse


def candidates(record: int) -> dict[uuid.UUID, str]:
    """Subject → state."""
    with connect() as connection:
        return dict(
            connection.execute(
                "select subject_key, state from vault.match_review where record_key = %s",
                [record_key(record)],
            ).fetchall()
        )


def links(up_to: int | None = None) -> dict[uuid.UUID, uuid.UUID]:
    """Record → subject, of the links in effect."""
    source = "ops.record_link" if up_to is None else f"ops.record_link_as_of({up_to})"
    with connect() as connection:
        return dict(connection.execute(f"select record_key, subject_key from {source}").fetchall())


def decide(record: int, identifier: str, decision: str = "link") -> int:
    kind = "link" if decision == "link" else "reject"
    return review.decide(
        record_key(record), subject_key(identifier), kind, "张审核", "已核对卷宗", "(2026)核1号"
    )


def test_candidates_are_proposed_and_nothing_is_linked(proposed: str) -> None:
    assert candidates(0) == {subject_key(TRUE): "待审"}, "the namesake's visible digits differ"
    assert candidates(1) == {subject_key(TRUE): "待审", subject_key(NAMESAKE): "待审"}
    assert candidates(2) == {subject_key(COMPANY): "待审"}, "known under its former name"
    assert links() == {}


def test_a_link_takes_effect_and_is_taken_back(proposed: str) -> None:
    link = decide(0, TRUE)
    assert links() == {record_key(0): subject_key(TRUE)}
    assert candidates(0) == {subject_key(TRUE): "已关联"}
    undone = review.undo(link, "李复核", "卷宗有误")
    assert links() == {}
    assert candidates(0) == {subject_key(TRUE): "已撤销"}
    assert links(up_to=link) == {record_key(0): subject_key(TRUE)}, (
        "what a publication took in does not change"
    )
    assert links(up_to=undone) == {}
    assert decide(0, TRUE) > undone
    assert links() == {record_key(0): subject_key(TRUE)}


def test_a_second_run_changes_nothing(proposed: str) -> None:
    def everything() -> list[tuple[object, ...]]:
        with connect() as connection:
            return connection.execute("select * from vault.match_candidate order by 1, 2").fetchall()

    before = everything()
    found = pipeline.propose_matches(date(2026, 3, 3))
    assert (found.batches, found.records) == (0, 0)
    assert everything() == before


def test_what_was_decided_is_not_proposed_again(proposed: str) -> None:
    decide(1, NAMESAKE, "reject")
    with connect() as connection:
        kept = "select * from vault.match_candidate where record_key = %s and subject_key = %s"
        before = connection.execute(kept, [record_key(1), subject_key(NAMESAKE)]).fetchall()
    third = KnownSubject("person", make_resident_id(RESIDENT_REGION, "19900303", 5), ("王样例",))
    labelled_city.deliver_subjects((third,), date(2026, 3, 3))
    found = pipeline.propose_matches(date(2026, 3, 3))
    assert found.records == 2, "both records of that name are looked at again"
    assert candidates(1) == {
        subject_key(TRUE): "待审",
        subject_key(NAMESAKE): "已否决",
        subject_key(third.identifier): "待审",
    }
    with connect() as connection:
        assert connection.execute(kept, [record_key(1), subject_key(NAMESAKE)]).fetchall() == before


def test_a_subject_that_comes_later_becomes_a_candidate(warehouse: str) -> None:
    labelled_city.deliver_records([(0, MASKED)])
    assert pipeline.propose_matches(NIGHT).candidates == 0
    labelled_city.deliver_subjects(SUBJECTS, date(2026, 3, 3))
    assert pipeline.propose_matches(date(2026, 3, 3)).candidates == 1
    assert candidates(0) == {subject_key(TRUE): "待审"}


def test_a_corrected_record_gets_the_candidates_of_its_new_version(proposed: str) -> None:
    corrected = replace(MASKED, number=mask_resident_id(NAMESAKE))
    labelled_city.deliver_records([(0, corrected)], date(2026, 3, 3))
    pipeline.propose_matches(date(2026, 3, 3))
    assert candidates(0) == {subject_key(NAMESAKE): "待审"}


def test_a_batch_taken_back_takes_its_records_along(warehouse: str) -> None:
    labelled_city.deliver_subjects(SUBJECTS)
    batch = labelled_city.deliver_records([(0, MASKED)])
    pipeline.propose_matches(NIGHT)
    with connect() as connection:
        connection.execute(
            "update ops.batch set state = 'refused', refusal_code = 'test', accepted_rows = 0,"
            " refused_rows = accepted_rows where batch_id = %s",
            [batch],
        )
    pipeline.propose_matches(date(2026, 3, 3))
    assert candidates(0) == {}


def test_one_record_is_never_two_subjects(proposed: str) -> None:
    first = decide(1, TRUE)
    with pytest.raises(
        DecisionRefused, match=rf"已关联主体 .*（决定 {first}），一条记录不能同时关联两个主体"
    ):
        decide(1, NAMESAKE)
    decide(1, NAMESAKE, "reject")
    assert links() == {record_key(1): subject_key(TRUE)}


def test_two_officers_at_once_cannot_link_a_record_twice(proposed: str) -> None:
    insert = (
        "insert into ops.match_decision (decision, record_key, subject_key, decided_by, reason, document)"
        " values ('link', %s, %s, '甲', '核对', '文书')"
    )
    with connect() as one, connect() as other:
        one.execute(insert, [record_key(1), subject_key(TRUE)])
        other.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(insert, [record_key(1), subject_key(NAMESAKE)])
        other.rollback()
        one.commit()
        with pytest.raises(psycopg.errors.RaiseException, match="不能同时关联两个主体"):
            other.execute(insert, [record_key(1), subject_key(NAMESAKE)])


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update ops.match_decision set reason = 'x'", "只能追加"),
        ("delete from ops.match_decision", "只能追加"),
        ("truncate ops.match_decision", "只能追加"),
    ],
)
def test_decisions_are_append_only(proposed: str, statement: str, message: str) -> None:
    decide(0, TRUE)
    with connect() as connection, pytest.raises(psycopg.errors.RaiseException, match=message):
        connection.execute(statement)


def test_what_cannot_be_decided_says_why(proposed: str) -> None:
    with pytest.raises(DecisionRefused, match=r"不是记录 .* 的候选"):
        decide(0, NAMESAKE)
    with pytest.raises(DecisionRefused, match="不能为空"):
        review.decide(record_key(0), subject_key(TRUE), "link", "张审核", " ", "文书")
    link = decide(0, TRUE)
    with pytest.raises(DecisionRefused, match=f"已有未撤销的决定 {link}"):
        decide(0, TRUE, "reject")
    undone = review.undo(link, "李复核", "卷宗有误")
    with pytest.raises(DecisionRefused, match="已被撤销"):
        review.undo(link, "李复核", "再次")
    with pytest.raises(DecisionRefused, match="本身是撤销"):
        review.undo(undone, "李复核", "反悔")
    with pytest.raises(DecisionRefused, match="不存在"):
        review.undo(10_000, "李复核", "笔误")


def test_the_officers_command_line(proposed: str) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["review", *words])
        assert done.exit_code == code, done.output
        return done.output

    listed = run("list", "--feed", labelled_city.RECORDS)
    key = str(record_key(0))[:8]
    assert key in listed
    assert "王*" in listed and "王样例" not in listed
    shown = run("show", key)
    assert "号码末四位" in shown and "可能" in shown
    assert TRUE not in shown and mask_resident_id(TRUE) in shown
    why = ("--by", "张审核", "--reason", "已核对卷宗", "--document", "(2026)核1号")
    done = run("decide", key, "--subject", str(subject_key(TRUE)), "--link", *why)
    decision = re.search(r"决定 (\d+)", done)
    assert decision is not None
    assert key not in run("list"), "it waits for nobody now"
    assert "已关联" in run("show", key) and "张审核" in run("show", key)
    assert "未登记" in run("decide", key, "--subject", str(subject_key(TRUE)), "--reject", *why, code=1)
    run("undo", decision[1], "--by", "李复核", "--reason", "卷宗有误")
    assert key in run("list")
    assert "不存在" in run("show", "00000000", code=1)
    assert "没有新数据" in run("propose", "--date", "2026-03-03")


def test_a_new_model_looks_at_everything_again(proposed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credit_warehouse.matching.proposing.MODEL_VERSION", "next")
    assert pipeline.propose_matches(date(2026, 3, 3)).records == 3
    with connect() as connection:
        assert connection.execute(
            "select distinct model_version, first_proposed_for, last_proposed_for from vault.match_candidate"
        ).fetchall() == [("next", NIGHT, date(2026, 3, 3))]
