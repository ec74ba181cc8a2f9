"""Tax: 纳税缴费信用级别 and the municipal arrears table (DOMAIN.md §3.3), JSON over HTTP."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.feeds.tax import TAX_KINDS, authority_of
from simulator.schema import Draw, Feed, Medium, Record, When, amount, day, number, stamp, text

GRADES = ("A", "B", "M", "C", "D")


def _new_grade(draw: Draw) -> Record:
    enterprise = draw.enterprise
    return {
        "taxpayer_id": enterprise.uscc,
        # A walk over all enterprises, then the year before.
        "rating_year": draw.decided_on.year - 1 - draw.serial // draw.world.enterprises,
        "taxpayer_name": enterprise.name,
        "grade": draw.rng.choices(GRADES, (20, 50, 18, 8, 4))[0],
        "tax_authority": authority_of(draw),
        "document_no": f"{enterprise.region.document_mark}税评〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "rated_on": draw.decided_on,
        "status": "有效",
    }


def _amend_grade(rng: random.Random, record: Record, today: date) -> Record:
    return {"grade": rng.choice([grade for grade in GRADES if grade != record["grade"]])}


def _new_arrears(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    kind = rng.randrange(len(TAX_KINDS))
    current = draw.amount(300, 400_000)
    settled = draw.decided_on < draw.day - timedelta(days=150) and rng.random() < 0.4
    return {
        "notice_no": f"{enterprise.region.document_mark}税限缴〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "tax_kind_code": f"{10101 + kind}",
        "tax_kind": TAX_KINDS[kind],
        "taxpayer_id": enterprise.uscc,
        "taxpayer_name": enterprise.name,
        "legal_representative": enterprise.representative if rng.random() < 0.9 else None,
        "registration_type": enterprise.enterprise_type if rng.random() < 0.8 else None,
        "levy_authority": authority_of(draw),
        "current_arrears_cny": current,
        "total_arrears_cny": current * rng.randrange(1, 6),
        "started_on": draw.decided_on - timedelta(days=rng.randrange(15, 90)),
        "notified_on": draw.decided_on,
        "status": "已缴清" if settled else "欠缴",
        "settled_on": draw.decided_on + timedelta(days=rng.randrange(5, 140)) if settled else None,
    }


def _amend_arrears(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "欠缴" and rng.random() < 0.5:
        return {"status": "已缴清", "settled_on": today}
    return {"total_arrears_cny": record["total_arrears_cny"] + Decimal(rng.randrange(100, 900_000)) / 100}


CREDIT_GRADE = Feed(
    id="tax.credit_grade",
    title="纳税缴费信用级别",
    medium=Medium.API,
    fields=(
        text("taxpayer_id", check="uscc"),
        number("rating_year", minimum=2014, maximum=2100),
        text("taxpayer_name", max_length=200),
        text("grade", enum=GRADES),
        text("tax_authority"),
        text("document_no"),
        day("rated_on", not_future=True),
        text("status", enum=("有效", "撤销")),
        stamp("updated_at"),
    ),
    key=("taxpayer_id", "rating_year"),
    new=_new_grade,
    amend=_amend_grade,
    initial_rows=150,
    nightly_rows=8,
    collected_from=date(2014, 10, 1),
    withdrawal=("status", "撤销"),
    decided_on="rated_on",
    uscc_field="taxpayer_id",
    by_serial=True,
)  # fmt: skip

MUNICIPAL_ARREARS = Feed(
    id="tax.municipal_arrears",
    title="税款欠缴明细",
    medium=Medium.API,
    fields=(
        text("notice_no"),
        text("tax_kind_code", pattern=r"^\d{5}$"),
        text("tax_kind", enum=TAX_KINDS),
        text("taxpayer_id", check="uscc"),
        text("taxpayer_name", max_length=200),
        text("legal_representative", required=False),
        text("registration_type", required=False),
        text("levy_authority"),
        amount("current_arrears_cny"),
        amount("total_arrears_cny"),
        day("started_on", not_future=True),
        day("notified_on", not_future=True, not_before="started_on"),
        text("status", enum=("欠缴", "已缴清", "撤销")),
        day("settled_on", required=False, not_future=True, not_before="notified_on", required_when=(When("status", ("已缴清",)),)),
        stamp("updated_at"),
    ),
    key=("notice_no", "tax_kind_code"),
    new=_new_arrears,
    amend=_amend_arrears,
    initial_rows=150,
    nightly_rows=12,
    collected_from=date(2001, 5, 1),
    document="notice_no",
    withdrawal=("status", "撤销"),
    decided_on="notified_on",
    uscc_field="taxpayer_id",
)  # fmt: skip
