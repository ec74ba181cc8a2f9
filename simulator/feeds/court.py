"""Court: 失信被执行人 and 判决执行 (DOMAIN.md §3.2), zipped GB18030 CSV."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.schema import (
    DateStyle,
    Draw,
    Feed,
    Medium,
    OneOf,
    Record,
    When,
    amount,
    day,
    number,
    stamp,
    text,
)

PERSON = "自然人"
ORGANISATION = "法人或其他组织"
GROUNDS = (
    "伪造证据暴力威胁妨碍抗拒执行", "虚假诉讼隐匿转移财产规避执行", "违反财产报告制度", "违反限制消费令",
    "无正当理由拒不履行执行和解协议", "有履行能力而拒不履行",
)  # fmt: skip
CLOSED = ("执行完毕", "终结本次执行程序")


def party_of(draw: Draw) -> Record:
    """Type, name and identifier of the party drawn."""
    if draw.person is None:
        return {
            "party_type": ORGANISATION,
            "party_name": draw.enterprise.name,
            "resident_id": None,
            "uscc": draw.enterprise.uscc,
        }
    return {
        "party_type": PERSON,
        "party_name": draw.person.name,
        "resident_id": draw.person.resident_id,
        "uscc": None,
    }


def court_of(draw: Draw) -> str:
    """The court where the party is."""
    region = draw.enterprise.region
    return f"{region.city}{region.county}人民法院"


def _new_debtor(draw: Draw) -> Record:
    rng, region = draw.rng, draw.enterprise.region
    filed = draw.decided_on - timedelta(days=rng.randrange(5, 200))
    person = draw.person
    creditor = draw.world.person(rng.randrange(draw.world.persons)).name
    debt = draw.amount(5_000, 3_000_000)
    removed = draw.decided_on < draw.day - timedelta(days=200) and rng.random() < 0.25
    return {
        "record_no": f"{region.code}{draw.serial:010d}",
        **party_of(draw),
        "legal_representative": None if person else draw.enterprise.representative,
        "sex": person.sex if person else None,
        "age": (draw.decided_on - person.born_on).days // 366 if person else None,
        "case_no": f"({filed.year}){region.court_mark}执{draw.serial + 100}号",
        "filing_date": filed,
        "court_name": court_of(draw),
        "basis_document_no": f"({filed.year}){region.court_mark}民初{draw.serial + 500}号",
        "basis_authority": court_of(draw),
        "obligation": f"向{creditor}支付{debt}元及利息" if rng.random() < 0.8 else None,
        "performance": "全部已履行" if removed else rng.choice(("全部未履行", "全部未履行", "部分未履行")),
        "grounds": ";".join(rng.sample(GROUNDS, rng.choice((1, 1, 1, 2)))),
        "published_on": draw.decided_on,
        "removed_on": draw.decided_on + timedelta(days=rng.randrange(30, 190)) if removed else None,
        "removal_reason": "全部履行完毕" if removed else None,
        "status": "屏蔽" if removed else "发布",
    }


def _amend_debtor(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "发布" and rng.random() < 0.5:
        return {
            "performance": "全部已履行",
            "status": "屏蔽",
            "removed_on": today,
            "removal_reason": "申请执行人书面申请",
        }
    return {"performance": "部分未履行", "obligation": f"支付剩余款项{rng.randrange(1_000, 90_000)}元"}


def _new_enforcement(draw: Draw) -> Record:
    rng, region = draw.rng, draw.enterprise.region
    closed = draw.decided_on < draw.day - timedelta(days=180) and rng.random() < 0.5
    return {
        "case_no": f"({draw.decided_on.year}){region.court_mark}执{draw.serial + 20_000}号",
        **party_of(draw),
        "cause": rng.choice(
            ("买卖合同纠纷", "民间借贷纠纷", "劳动争议", "建设工程施工合同纠纷", "金融借款合同纠纷")
        ),
        "court_name": court_of(draw),
        "filing_date": draw.decided_on,
        "amount_cny": draw.amount(2_000, 8_000_000),
        "basis_document_no": f"({draw.decided_on.year}){region.court_mark}民初{draw.serial + 40_000}号",
        "case_status": rng.choice(CLOSED) if closed else "执行中",
        "closed_on": draw.decided_on + timedelta(days=rng.randrange(20, 170)) if closed else None,
        "closing_method": rng.choice(("执行完毕", "终结", None)) if closed else None,
    }


def _amend_enforcement(rng: random.Random, record: Record, today: date) -> Record:
    if record["case_status"] == "执行中" and rng.random() < 0.6:
        return {"case_status": rng.choice(CLOSED), "closed_on": today, "closing_method": "终结"}
    return {"amount_cny": record["amount_cny"] + Decimal(rng.randrange(100, 90_000)) / 100}


DISHONEST_JUDGMENT_DEBTOR = Feed(
    id="court.dishonest_judgment_debtor",
    title="失信被执行人",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("record_no", "编号", max_length=64),
        text("party_type", "被执行人类型", enum=(PERSON, ORGANISATION)),
        text("party_name", "被执行人姓名或名称", max_length=200),
        text("resident_id", "身份证号码", required=False, check="resident_id",
             required_when=(When("party_type", (PERSON,)),)),
        text("uscc", "统一社会信用代码", required=False, check="uscc",
             required_when=(When("party_type", (ORGANISATION,)),)),
        text("legal_representative", "法定代表人或负责人", required=False),
        text("sex", "性别", required=False, enum=("男", "女")),
        number("age", "年龄", required=False, minimum=0, maximum=150),
        text("case_no", "案号"),
        day("filing_date", "立案日期", date_style=DateStyle.COMPACT, not_future=True),
        text("court_name", "执行法院"),
        text("basis_document_no", "执行依据文号"),
        text("basis_authority", "作出执行依据单位"),
        text("obligation", "生效法律文书确定的义务", required=False),
        text("performance", "被执行人的履行情况", enum=("全部未履行", "部分未履行", "全部已履行")),
        text("grounds", "失信行为具体情形", enum=GROUNDS, multi=True),
        day("published_on", "发布日期", date_style=DateStyle.CHINESE, not_future=True, not_before="filing_date"),
        day("removed_on", "屏蔽日期", required=False, not_future=True, not_before="published_on"),
        text("removal_reason", "屏蔽原因", required=False),
        text("status", "状态", enum=("发布", "屏蔽", "撤销")),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("record_no",),
    new=_new_debtor,
    amend=_amend_debtor,
    initial_rows=400,
    nightly_rows=60,
    collected_from=date(1991, 4, 9),
    document="basis_document_no",
    withdrawal=("status", "撤销"),
    decided_on="published_on",
    one_of=(OneOf(("uscc", "resident_id")),),
    person_field="resident_id",
    persons_share=0.45,
    masked_share=0.2,
)  # fmt: skip

JUDGMENT_ENFORCEMENT = Feed(
    id="court.judgment_enforcement",
    title="判决执行",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("case_no", "案号", max_length=64),
        text("party_name", "被执行人名称", max_length=200),
        text("party_type", "被执行人类型", enum=(PERSON, ORGANISATION)),
        text("uscc", "统一社会信用代码", required=False, check="uscc",
             required_when=(When("party_type", (ORGANISATION,)),)),
        text("resident_id", "身份证号码", required=False, check="resident_id",
             required_when=(When("party_type", (PERSON,)),)),
        text("cause", "案由"),
        text("court_name", "执行法院"),
        day("filing_date", "立案时间", date_style=DateStyle.COMPACT, not_future=True),
        amount("amount_cny", "执行标的"),
        text("basis_document_no", "执行依据文号"),
        text("case_status", "案件状态", enum=("执行中", "终结本次执行程序", "执行完毕", "撤销")),
        day("closed_on", "结案日期", required=False, not_future=True, not_before="filing_date",
            required_when=(When("case_status", CLOSED),)),
        text("closing_method", "结案方式", required=False),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("case_no",),
    party_in_key=True,
    new=_new_enforcement,
    amend=_amend_enforcement,
    initial_rows=500,
    nightly_rows=60,
    collected_from=date(1991, 4, 9),
    document="basis_document_no",
    withdrawal=("case_status", "撤销"),
    decided_on="filing_date",
    one_of=(OneOf(("uscc", "resident_id")),),
    person_field="resident_id",
    persons_share=0.35,
)  # fmt: skip
