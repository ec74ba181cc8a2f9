"""Social security: 单位参保缴费, 社保欠缴, 拖欠农民工工资名单 (DOMAIN.md §3.4), tables of an exchange database.

Every row is one change; ``change_seq`` and ``changed_on`` are set when it is written to the table.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.schema import Draw, Feed, Field, Medium, OneOf, Record, When, amount, day, number, stamp, text

INSURANCES = ("企业职工基本养老保险", "职工基本医疗保险", "失业保险", "工伤保险")
MONTH = r"^\d{4}(0[1-9]|1[0-2])$"
PERSON = "自然人"
ORGANISATION = "法人或其他组织"


def agency_of(draw: Draw) -> str:
    """The social insurance agency where the party is."""
    return f"{draw.enterprise.region.city}{draw.enterprise.region.county}社会保险基金管理局"


def _month(base: date, back: int) -> str:
    months = base.year * 12 + base.month - 1 - back
    return f"{months // 12}{months % 12 + 1:02d}"


def _new_contribution(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    insured = rng.randrange(1, 180)
    due = Decimal(insured) * draw.amount(60, 1_100)
    return {
        "uscc": enterprise.uscc,
        "insurance_kind": INSURANCES[draw.serial % 4],
        # From January 2026 backwards, once every enterprise has had its four rows of a month.
        "contribution_month": _month(date(2026, 1, 1), draw.serial // (4 * draw.world.enterprises)),
        "registration_no": f"SB{enterprise.region.code}{enterprise.index % 100_000_000:08d}",
        "employer_name": enterprise.name,
        "contribution_status": rng.choice(("正常缴费", "正常缴费", "正常缴费", "暂停缴费", "终止缴费")),
        "insured_from": date(2012, 1, 1) + timedelta(days=rng.randrange(5_000)),
        "insured_count": insured,
        "due_cny": due,
        "paid_cny": due if rng.random() < 0.9 else (due / 2).quantize(Decimal("0.01")),
        "agency": agency_of(draw),
        "change_op": "I",
    }


def _amend_contribution(rng: random.Random, record: Record, today: date) -> Record:
    return {"paid_cny": record["due_cny"], "insured_count": rng.randrange(1, 200), "change_op": "U"}


def _new_contribution_arrears(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    monthly = draw.amount(500, 60_000)
    months = rng.randrange(1, 30)
    repaid = draw.decided_on < draw.day - timedelta(days=150) and rng.random() < 0.4
    return {
        "document_no": f"{enterprise.region.document_mark}社征〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "uscc": enterprise.uscc,
        "insurance_kind": INSURANCES[draw.serial % 4],
        "arrears_month": _month(
            date(2025, 12, 1), enterprise.index % 24 + 24 * (draw.serial // (4 * draw.world.enterprises))
        ),
        "employer_name": enterprise.name,
        "month_arrears_cny": monthly,
        "total_arrears_cny": monthly * months,
        "arrears_months": months,
        "agency": agency_of(draw),
        "determined_on": draw.decided_on,
        "is_repaid": "是" if repaid else "否",
        "repaid_on": draw.decided_on + timedelta(days=rng.randrange(5, 140)) if repaid else None,
        "change_op": "I",
    }


def _amend_contribution_arrears(rng: random.Random, record: Record, today: date) -> Record:
    if record["is_repaid"] == "否" and rng.random() < 0.6:
        return {"is_repaid": "是", "repaid_on": today, "change_op": "U"}
    return {"total_arrears_cny": record["total_arrears_cny"] + rng.randrange(1, 9_000), "change_op": "U"}


def _new_wage_arrears(draw: Draw) -> Record:
    rng, enterprise, person = draw.rng, draw.enterprise, draw.person
    left = draw.decided_on < draw.day - timedelta(days=240) and rng.random() < 0.35
    return {
        "document_no": f"{enterprise.region.document_mark}人社欠薪〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "list_name": "拖欠农民工工资失信联合惩戒对象名单",
        "party_name": person.name if person else enterprise.name,
        "party_type": PERSON if person else ORGANISATION,
        "uscc": None if person else enterprise.uscc,
        "resident_id": person.resident_id if person else None,
        "legal_representative": None if person else enterprise.representative,
        "cause": rng.choice(
            (
                "克扣、无故拖欠农民工工资报酬，数额达到认定拒不支付劳动报酬罪标准",
                "因拖欠农民工工资引发群体性事件",
            )
        ),
        "amount_cny": draw.amount(50_000, 4_000_000),
        "authority": f"{enterprise.region.city}{enterprise.region.county}人力资源和社会保障局",
        "listed_on": draw.decided_on,
        "exit_on": draw.decided_on + timedelta(days=rng.randrange(182, 235)) if left else None,
        "exit_reason": "改正拖欠行为并作出守信承诺" if left else None,
        "change_op": "I",
    }


def _amend_wage_arrears(rng: random.Random, record: Record, today: date) -> Record:
    if record["exit_on"] is None and rng.random() < 0.4:
        return {"exit_on": today, "exit_reason": "改正拖欠行为并作出守信承诺", "change_op": "U"}
    return {"amount_cny": record["amount_cny"] + Decimal(rng.randrange(100, 800_000)) / 100, "change_op": "U"}


CHANGE: tuple[Field, ...] = (text("change_op", enum=("I", "U", "D")), stamp("updated_at"))

EMPLOYER_CONTRIBUTION = Feed(
    id="social_security.employer_contribution",
    title="单位参保缴费",
    medium=Medium.TABLE,
    fields=(
        text("uscc", check="uscc"),
        text("insurance_kind", enum=INSURANCES),
        text("contribution_month", pattern=MONTH),
        text("registration_no"),
        text("employer_name", max_length=200),
        text("contribution_status", enum=("正常缴费", "暂停缴费", "终止缴费")),
        day("insured_from"),
        number("insured_count", minimum=0),
        amount("due_cny"),
        amount("paid_cny"),
        text("agency"),
        *CHANGE,
    ),
    key=("uscc", "insurance_kind", "contribution_month"),
    new=_new_contribution,
    amend=_amend_contribution,
    initial_rows=1_500,
    nightly_rows=100,
    collected_from=date(2011, 7, 1),
    withdrawal=("change_op", "D"),
    by_serial=True,
    rows_per_subject=4,
)

CONTRIBUTION_ARREARS = Feed(
    id="social_security.contribution_arrears",
    title="社保欠缴",
    medium=Medium.TABLE,
    fields=(
        text("document_no", max_length=128),
        text("uscc", check="uscc"),
        text("insurance_kind", enum=INSURANCES),
        text("arrears_month", pattern=MONTH),
        text("employer_name", max_length=200),
        amount("month_arrears_cny"),
        amount("total_arrears_cny"),
        number("arrears_months", minimum=1, maximum=600),
        text("agency"),
        day("determined_on", not_future=True),
        text("is_repaid", enum=("是", "否")),
        day("repaid_on", required=False, required_when=(When("is_repaid", ("是",)),)),
        *CHANGE,
    ),
    key=("uscc", "insurance_kind", "arrears_month"),
    new=_new_contribution_arrears,
    amend=_amend_contribution_arrears,
    initial_rows=400,
    nightly_rows=50,
    collected_from=date(2011, 7, 1),
    document="document_no",
    withdrawal=("change_op", "D"),
    decided_on="determined_on",
    by_serial=True,
    rows_per_subject=4,
)

WAGE_ARREARS_LIST = Feed(
    id="social_security.wage_arrears_list",
    title="拖欠农民工工资失信联合惩戒对象名单",
    medium=Medium.TABLE,
    fields=(
        text("document_no", max_length=128),
        text("list_name"),
        text("party_name", max_length=200),
        text("party_type", enum=(PERSON, ORGANISATION)),
        text("uscc", required=False, check="uscc"),
        text("resident_id", required=False, check="resident_id"),
        text("legal_representative", required=False),
        text("cause"),
        amount("amount_cny"),
        text("authority"),
        day("listed_on", not_future=True),
        day("exit_on", required=False, not_before="listed_on"),
        text("exit_reason", required=False, required_when=(When("exit_on"),)),
        *CHANGE,
    ),
    key=("document_no",),
    party_in_key=True,
    new=_new_wage_arrears,
    amend=_amend_wage_arrears,
    initial_rows=300,
    nightly_rows=40,
    collected_from=date(2004, 12, 1),
    document="document_no",
    withdrawal=("change_op", "D"),
    decided_on="listed_on",
    one_of=(OneOf(("uscc", "resident_id")),),
    person_field="resident_id",
    persons_share=0.15,
)
