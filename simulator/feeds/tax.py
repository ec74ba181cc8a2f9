"""Tax: 欠税公告, 纳税信用A级, 重大税收违法失信主体 (DOMAIN.md §3.3), JSON over HTTP."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.schema import Draw, Feed, Medium, Record, When, amount, day, number, stamp, text

TAX_KINDS = (
    "增值税", "企业所得税", "个人所得税", "城镇土地使用税", "房产税", "土地增值税", "消费税", "城市维护建设税", "印花税",
)  # fmt: skip
VIOLATIONS = (
    "偷税", "逃避追缴欠税", "骗取出口退税", "抗税", "虚开增值税专用发票", "虚开普通发票", "走逃(失联)",
)  # fmt: skip


def authority_of(draw: Draw) -> str:
    """The tax authority where the party is."""
    return f"国家税务总局{draw.enterprise.region.city}{draw.enterprise.region.county}税务局"


def _new_arrears(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    balance = draw.amount(300, 900_000)
    settled = draw.decided_on < draw.day - timedelta(days=200) and rng.random() < 0.4
    closed_quarter = draw.decided_on - timedelta(days=100)
    return {
        "announcement_no": f"{enterprise.region.document_mark}税欠告〔{draw.decided_on.year}〕第{draw.serial // 3 + 1}号",
        "tax_kind": TAX_KINDS[draw.serial % 3 * 3 + rng.randrange(3)],
        "taxpayer_name": enterprise.name,
        "taxpayer_id": enterprise.uscc,
        "taxpayer_type": "个体工商户" if enterprise.is_individual_business else "企业",
        "legal_representative": enterprise.representative if rng.random() < 0.9 else None,
        "place": enterprise.address if rng.random() < 0.85 else None,
        "arrears_balance_cny": Decimal(0) if settled else balance,
        "new_arrears_cny": (balance * rng.randrange(0, 80) / 100).quantize(Decimal("0.01")),
        "tax_authority": authority_of(draw),
        "announced_on": draw.decided_on,
        "period": f"{closed_quarter.year}Q{(closed_quarter.month - 1) // 3 + 1}"
        if not enterprise.is_individual_business
        else f"{closed_quarter.year}H{(closed_quarter.month - 1) // 6 + 1}",
        "status": "已缴清" if settled else "公告中",
        "settled_on": draw.decided_on + timedelta(days=rng.randrange(10, 190)) if settled else None,
    }


def _amend_arrears(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "公告中" and rng.random() < 0.5:
        return {"status": "已缴清", "settled_on": today, "arrears_balance_cny": Decimal(0)}
    return {"new_arrears_cny": Decimal(rng.randrange(100, 5_000_000)) / 100}


def _new_a_grade(draw: Draw) -> Record:
    enterprise = draw.enterprise
    wrapped = draw.serial // draw.world.enterprises
    return {
        "taxpayer_id": enterprise.uscc,
        "rating_year": draw.decided_on.year - 1 - wrapped,
        "taxpayer_name": enterprise.name,
        "tax_authority": authority_of(draw),
        "document_no": f"{enterprise.region.document_mark}税信〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "rated_on": draw.decided_on,
        "status": "有效",
    }


def _amend_a_grade(rng: random.Random, record: Record, today: date) -> Record:
    return {"document_no": f"{record['document_no']}更{today:%m%d}{rng.randrange(100)}"}


def _new_violation(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    representative = draw.world.person(enterprise.representative_index)
    penalised = draw.decided_on
    nature = rng.choice(VIOLATIONS)
    stopped = draw.decided_on < draw.day - timedelta(days=250) and rng.random() < 0.3
    return {
        "case_document_no": f"{enterprise.region.document_mark}税稽罚〔{penalised.year}〕{draw.serial + 1}号",
        "taxpayer_name": enterprise.name,
        "taxpayer_id": enterprise.uscc,
        "org_code": enterprise.org_code if rng.random() < 0.7 else None,
        "registered_address": enterprise.address if rng.random() < 0.9 else None,
        "legal_representative": enterprise.representative,
        "legal_representative_id": representative.resident_id if rng.random() < 0.7 else None,
        "finance_officer": draw.world.person(rng.randrange(draw.world.persons)).name
        if rng.random() < 0.5
        else None,
        "case_nature": nature,
        "violation_facts": f"经查，该单位存在{nature}行为，涉及发票{rng.randrange(2, 300)}份",
        "penalty_basis": "《中华人民共和国税收征收管理法》第六十三条第一款",
        "fine_cny": draw.amount(20_000, 5_000_000),
        "penalty_date": penalised,
        "published_on": min(draw.day, penalised + timedelta(days=rng.randrange(0, 20))),
        "tax_authority": f"国家税务总局{enterprise.region.city}税务局稽查局",
        "status": "提前停止公布" if stopped else "公布中",
        "stopped_on": draw.decided_on + timedelta(days=rng.randrange(190, 240)) if stopped else None,
    }


def _amend_violation(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "公布中" and rng.random() < 0.4:
        return {"status": "提前停止公布", "stopped_on": today}
    return {"fine_cny": record["fine_cny"] + Decimal(rng.randrange(100, 900_000)) / 100}


TAX_ARREARS = Feed(
    id="tax.tax_arrears",
    title="欠税公告",
    medium=Medium.API,
    fields=(
        text("announcement_no", max_length=64),
        text("tax_kind", enum=TAX_KINDS),
        text("taxpayer_name", max_length=200),
        text("taxpayer_id", check="uscc"),
        text("taxpayer_type", enum=("企业", "个体工商户")),
        text("legal_representative", required=False),
        text("place", required=False),
        amount("arrears_balance_cny"),
        amount("new_arrears_cny"),
        text("tax_authority"),
        day("announced_on", not_future=True),
        text("period", pattern=r"^\d{4}(Q[1-4]|H[12])$"),
        text("status", enum=("公告中", "已缴清", "撤销")),
        day("settled_on", required=False, required_when=(When("status", ("已缴清",)),)),
        stamp("updated_at"),
    ),
    key=("announcement_no", "tax_kind"),
    new=_new_arrears,
    amend=_amend_arrears,
    initial_rows=400,
    nightly_rows=60,
    collected_from=date(2001, 5, 1),
    document="announcement_no",
    withdrawal=("status", "撤销"),
    decided_on="announced_on",
    uscc_field="taxpayer_id",
)

TAXPAYER_A_GRADE = Feed(
    id="tax.taxpayer_a_grade",
    title="纳税信用A级",
    medium=Medium.API,
    fields=(
        text("taxpayer_id", check="uscc"),
        number("rating_year", minimum=2014, maximum=2100),
        text("taxpayer_name", max_length=200),
        text("tax_authority"),
        text("document_no"),
        day("rated_on", not_future=True),
        text("status", enum=("有效", "撤销")),
        stamp("updated_at"),
    ),
    key=("taxpayer_id", "rating_year"),
    new=_new_a_grade,
    amend=_amend_a_grade,
    initial_rows=600,
    nightly_rows=40,
    collected_from=date(2014, 10, 1),
    withdrawal=("status", "撤销"),
    decided_on="rated_on",
    uscc_field="taxpayer_id",
    by_serial=True,
)

MAJOR_TAX_VIOLATION = Feed(
    id="tax.major_tax_violation",
    title="重大税收违法失信主体",
    medium=Medium.API,
    fields=(
        text("case_document_no", max_length=128),
        text("taxpayer_name", max_length=200),
        text("taxpayer_id", check="uscc"),
        text("org_code", required=False, check="org_code"),
        text("registered_address", required=False),
        text("legal_representative", required=False),
        text("legal_representative_id", required=False, check="resident_id"),
        text("finance_officer", required=False),
        text("case_nature", enum=VIOLATIONS),
        text("violation_facts"),
        text("penalty_basis"),
        amount("fine_cny"),
        day("penalty_date", not_future=True),
        day("published_on", not_future=True, not_before="penalty_date"),
        text("tax_authority"),
        text("status", enum=("公布中", "提前停止公布", "撤销")),
        day("stopped_on", required=False, required_when=(When("status", ("提前停止公布",)),)),
        stamp("updated_at"),
    ),
    key=("case_document_no",),
    new=_new_violation,
    amend=_amend_violation,
    initial_rows=300,
    nightly_rows=40,
    collected_from=date(2001, 5, 1),
    document="case_document_no",
    withdrawal=("status", "撤销"),
    decided_on="penalty_date",
    uscc_field="taxpayer_id",
)
