"""Social security: 企业参保, 重大劳动保障违法行为, 劳动保障守法诚信等级 (DOMAIN.md §3.4), tables of the exchange database.

Employers only: nobody's pension, wages or relief is here.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from simulator.feeds.social_security import CHANGE, agency_of
from simulator.schema import Draw, Feed, Medium, Record, When, day, number, text

VIOLATIONS = (
    "克扣或者无故拖欠劳动报酬", "不依法参加社会保险", "违反工作时间和休息休假规定", "违反女职工和未成年工特殊保护规定",
    "违反禁止使用童工规定", "其他重大违法行为",
)  # fmt: skip


def _bureau(draw: Draw) -> str:
    return f"{draw.enterprise.region.city}{draw.enterprise.region.county}人力资源和社会保障局"


def _new_enrolment(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    ended = draw.decided_on < draw.day - timedelta(days=200) and rng.random() < 0.15
    return {
        "registration_no": f"SBDJ{enterprise.region.code}{draw.serial:08d}",
        "uscc": enterprise.uscc,
        "employer_name": enterprise.name,
        "enrolment_status": "3" if ended else rng.choice("1112"),
        "enrolled_on": draw.decided_on,
        "ended_on": draw.decided_on + timedelta(days=rng.randrange(30, 190)) if ended else None,
        "agency_code": enterprise.region.code,
        "agency": agency_of(draw),
        "unit_no": f"DW{draw.serial:07d}" if rng.random() < 0.8 else None,
        "change_op": "I",
    }


def _amend_enrolment(rng: random.Random, record: Record, today: date) -> Record:
    if record["enrolment_status"] != "3" and rng.random() < 0.4:
        return {"enrolment_status": "3", "ended_on": today, "change_op": "U"}
    return {"unit_no": f"DW{rng.randrange(10**7):07d}", "change_op": "U"}


def _new_violation(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    kind = rng.choice(VIOLATIONS)
    return {
        "document_no": f"{enterprise.region.document_mark}人社监罚〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "uscc": enterprise.uscc,
        "employer_name": enterprise.name,
        "address": enterprise.address if rng.random() < 0.9 else None,
        "legal_representative": enterprise.representative if rng.random() < 0.9 else None,
        "violation_kind": kind,
        "violation_facts": f"经查，该单位存在{kind}情形，涉及劳动者{rng.randrange(3, 200)}人",
        "handling": "责令限期改正，处以罚款",
        "severity": rng.choice((None, "一般", "较重", "严重")),
        "authority": _bureau(draw),
        "decided_on": draw.decided_on,
        "published_on": min(draw.day, draw.decided_on + timedelta(days=rng.randrange(4))),
        "change_op": "I",
    }


def _amend_violation(rng: random.Random, record: Record, today: date) -> Record:
    return {"handling": f"责令限期改正，处以罚款（{today:%m%d}更正{rng.randrange(100)}）", "change_op": "U"}


def _new_grade(draw: Draw) -> Record:
    enterprise = draw.enterprise
    return {
        "uscc": enterprise.uscc,
        "rating_year": draw.decided_on.year - 1 - draw.serial // draw.world.enterprises,
        "employer_name": enterprise.name,
        "grade": draw.rng.choices("ABC", (60, 32, 8))[0],
        "document_no": f"{enterprise.region.document_mark}人社评〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "authority": _bureau(draw),
        "rated_on": draw.decided_on,
        "change_op": "I",
    }


def _amend_grade(rng: random.Random, record: Record, today: date) -> Record:
    return {"grade": rng.choice([grade for grade in "ABC" if grade != record["grade"]]), "change_op": "U"}


ENROLMENT = Feed(
    id="social_security.enrolment",
    title="企业参保",
    medium=Medium.TABLE,
    fields=(
        text("registration_no"),
        text("uscc", check="uscc"),
        text("employer_name", max_length=200),
        text("enrolment_status", enum=("1", "2", "3")),
        day("enrolled_on", not_future=True),
        day("ended_on", required=False, not_before="enrolled_on", required_when=(When("enrolment_status", ("3",)),)),
        text("agency_code", pattern=r"^\d{6}$"),
        text("agency"),
        text("unit_no", required=False),
        *CHANGE,
    ),
    key=("registration_no",),
    new=_new_enrolment,
    amend=_amend_enrolment,
    initial_rows=150,
    nightly_rows=10,
    collected_from=date(1999, 1, 22),
    withdrawal=("change_op", "D"),
    decided_on="enrolled_on",
)  # fmt: skip

LABOUR_VIOLATION = Feed(
    id="social_security.labour_violation",
    title="重大劳动保障违法行为",
    medium=Medium.TABLE,
    fields=(
        text("document_no"),
        text("uscc", check="uscc"),
        text("employer_name", max_length=200),
        text("address", required=False),
        text("legal_representative", required=False),
        text("violation_kind", enum=VIOLATIONS),
        text("violation_facts"),
        text("handling"),
        text("severity", required=False, enum=("未定", "轻微", "一般", "较重", "严重")),
        text("authority"),
        day("decided_on", not_future=True),
        day("published_on", not_future=True, not_before="decided_on"),
        *CHANGE,
    ),
    key=("document_no", "uscc"),
    new=_new_violation,
    amend=_amend_violation,
    initial_rows=150,
    nightly_rows=8,
    collected_from=date(2004, 12, 1),
    document="document_no",
    withdrawal=("change_op", "D"),
    decided_on="decided_on",
)  # fmt: skip

LABOUR_GRADE = Feed(
    id="social_security.labour_grade",
    title="劳动保障守法诚信等级",
    medium=Medium.TABLE,
    fields=(
        text("uscc", check="uscc"),
        number("rating_year", minimum=2016, maximum=2100),
        text("employer_name", max_length=200),
        text("grade", enum=("A", "B", "C")),
        text("document_no"),
        text("authority"),
        day("rated_on", not_future=True),
        *CHANGE,
    ),
    key=("uscc", "rating_year"),
    new=_new_grade,
    amend=_amend_grade,
    initial_rows=120,
    nightly_rows=8,
    collected_from=date(2017, 1, 1),
    withdrawal=("change_op", "D"),
    decided_on="rated_on",
    by_serial=True,
)  # fmt: skip
