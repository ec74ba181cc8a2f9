"""The plans in the database, and evidence entered about them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg
import pytest

from credit_warehouse import migrations, publication
from credit_warehouse.database import connect
from credit_warehouse.plans import evidence
from credit_warehouse.plans.evidence import EvidenceKind, EvidenceRefused

NIGHT = date(2026, 3, 2)
TASK, RATE, MILESTONE = "huizhou_personal-T001", "huizhou_personal-M005", "huizhou_personal-M001"


def one(statement: str) -> object:
    with connect() as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def enter(item: str, kind: EvidenceKind = EvidenceKind.PROGRESS, **more: object) -> int:
    values: dict[str, object] = {"dated_on": NIGHT, "note": "说明", "document": "文件", "by": "测试员"}
    return evidence.add(item, kind, **(values | more))  # type: ignore[arg-type]


def test_what_the_files_say_is_written_once_and_stays_what_evidence_refers_to(warehouse: str) -> None:
    number = enter(TASK)
    migrations.apply()
    assert one("select count(*) from ops.plan_task") == 213
    assert one("select count(*) from ops.plan_target") == 66
    assert (
        one("select count(distinct unit_name) from ops.plan_task_unit join ops.unit using (unit_code)") == 113
    )
    assert one("select city from ops.office") == "huizhou"
    assert one("select count(*) from ops.city") == 5
    assert one(f"select task_code from ops.plan_evidence where evidence_id = {number}") == TASK


def test_a_city_follows_the_setting_at_the_next_migrate(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credit_warehouse.settings import get_settings

    monkeypatch.setenv("CREDIT_CITY", "yulin")
    get_settings.cache_clear()
    migrations.apply()
    assert one("select city from ops.office") == "yulin"
    assert one("select distinct department_name from ops.feed where source = 'court'") == "榆林市中级人民法院"
    assert one("select count(*) from ops.district join ops.office using (city)") == 12


@pytest.mark.parametrize(
    ("item", "more", "message"),
    [
        ("huizhou_personal-T099", {}, "没有编码为 huizhou_personal-T099 的任务或指标"),
        (TASK, {"dated_on": date(2026, 3, 3)}, "晚于今天（2026-03-02）"),
        (TASK, {"kind": EvidenceKind.MEASURED, "value": Decimal(85)}, "没有数值目标"),
        (MILESTONE, {"kind": EvidenceKind.MEASURED, "value": Decimal(85)}, "没有数值目标"),
        (RATE, {"kind": EvidenceKind.MEASURED}, "0 至 100"),
        (RATE, {"kind": EvidenceKind.MEASURED, "value": Decimal(101)}, "0 至 100"),
        (RATE, {"kind": EvidenceKind.MEASURED, "value": Decimal(1001)}, "0 至 100"),
        (RATE, {"value": Decimal(85)}, "0 至 100"),
        (TASK, {"document": " "}, "不能为空"),
    ],
)
def test_evidence_that_does_not_fit_is_refused_with_what_to_do(
    warehouse: str, item: str, more: dict[str, object], message: str
) -> None:
    publication.open_candidate(NIGHT)
    with pytest.raises(EvidenceRefused, match=message):
        enter(item, **more)  # type: ignore[arg-type]
    assert one("select count(*) from ops.plan_evidence") == 0


def test_evidence_is_taken_back_once_and_never_altered(warehouse: str) -> None:
    number = enter(RATE, EvidenceKind.MEASURED, value=Decimal(85))
    withdrawal = evidence.withdraw(number, NIGHT, "数字有误", "更正函", "测试员")
    assert one(f"select target_code from ops.plan_evidence where evidence_id = {withdrawal}") == RATE
    for again, message in ((number, "已被撤回"), (withdrawal, "本身是撤回"), (999, "不存在")):
        with pytest.raises(EvidenceRefused, match=message):
            evidence.withdraw(again, NIGHT, "数字有误", "更正函", "测试员")
    for statement in ("update ops.plan_evidence set value = 100", "delete from ops.plan_evidence"):
        with pytest.raises(psycopg.errors.RaiseException, match="只能追加"), connect() as connection:
            connection.execute(statement)


def test_new_evidence_alone_is_worth_a_publication(warehouse: str) -> None:
    first = publication.open_candidate(NIGHT)
    assert first is not None
    publication.publish(first.publication_id, "test")
    assert publication.open_candidate(NIGHT) is None
    enter(TASK)
    assert publication.open_candidate(NIGHT) is not None


def test_an_officer_enters_under_his_own_name(warehouse: str) -> None:
    with connect() as connection:
        connection.execute("drop role if exists plan_test_officer")
        connection.execute("create role plan_test_officer login password 'x' in role credit_officer")
    try:
        officer = psycopg.conninfo.make_conninfo(warehouse, user="plan_test_officer", password="x")
        with psycopg.connect(officer) as connection:
            connection.execute(
                "insert into ops.plan_evidence (task_code, kind, dated_on, note, document)"
                " values (%s, 'progress', %s, '说明', '文件')",
                [TASK, NIGHT],
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(officer) as connection:
            connection.execute("insert into ops.plan_evidence (entered_by) values ('别人')")
        assert one("select entered_by from ops.plan_evidence") == "plan_test_officer"
    finally:
        with connect() as connection:
            connection.execute("drop role plan_test_officer")
