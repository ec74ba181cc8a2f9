"""Court: 民事裁判, 限制消费令, 终本案件, 破产重整 (DOMAIN.md §3.2), zipped GB18030 CSV."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.feeds.court import ORGANISATION, PERSON, court_of, party_of
from simulator.schema import DateStyle, Draw, Feed, Medium, OneOf, Record, When, amount, day, stamp, text

CAUSES = ("买卖合同纠纷", "民间借贷纠纷", "金融借款合同纠纷", "建设工程施工合同纠纷", "租赁合同纠纷")
CLOSINGS = ("判决", "调解", "准予撤诉", "驳回起诉", "移送管辖")
STAGES = ("受理", "重整计划执行中", "重整计划执行完毕", "宣告破产", "终结", "撤销")
IDENTITY = (OneOf(("uscc", "resident_id")),)


def _case(draw: Draw, kind: str, offset: int) -> str:
    return f"({draw.decided_on.year}){draw.enterprise.region.court_mark}{kind}{draw.serial + offset}号"


def _new_judgment(draw: Draw) -> Record:
    rng = draw.rng
    number = _case(draw, "民初", 60_000)
    return {
        "case_no": number,
        **party_of(draw),
        "cause": rng.choice(CAUSES),
        "position": rng.choice(("被告", "被告", "原告", "第三人")),
        "court_name": court_of(draw),
        "filing_date": draw.decided_on - timedelta(days=rng.randrange(20, 180)),
        "claim_cny": draw.amount(2_000, 3_000_000) if rng.random() < 0.85 else None,
        "document_no": f"{number}民事判决书",
        "closed_on": draw.decided_on,
        "closing_method": rng.choice(CLOSINGS),
        "status": "生效",
    }


def _amend_judgment(rng: random.Random, record: Record, today: date) -> Record:
    return {"claim_cny": Decimal(rng.randrange(200_000, 90_000_000)) / 100}


def _new_restriction(draw: Draw) -> Record:
    rng, person = draw.rng, draw.person
    lifted = draw.decided_on < draw.day - timedelta(days=200) and rng.random() < 0.3
    return {
        "order_no": _case(draw, "执限", 1),
        **party_of(draw),
        "case_no": _case(draw, "执", 70_000),
        "related_enterprise": draw.enterprise.name if person and rng.random() < 0.6 else None,
        "court_name": court_of(draw),
        "filing_date": draw.decided_on - timedelta(days=rng.randrange(5, 90)),
        "issued_on": draw.decided_on,
        "lifted_on": draw.decided_on + timedelta(days=rng.randrange(30, 190)) if lifted else None,
        "lifting_reason": "履行完毕" if lifted else None,
        "status": "解除" if lifted else "限制中",
    }


def _amend_restriction(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "限制中" and rng.random() < 0.6:
        return {"status": "解除", "lifted_on": today, "lifting_reason": "提供担保并经申请执行人同意"}
    return {"related_enterprise": f"拟{rng.choice('恒瑞华盛嘉泰')}{rng.choice('达丰源盛')}商贸有限公司"}


def _new_terminated(draw: Draw) -> Record:
    rng = draw.rng
    claim = draw.amount(5_000, 4_000_000)
    resumed = draw.decided_on < draw.day - timedelta(days=200) and rng.random() < 0.2
    return {
        "case_no": _case(draw, "执", 90_000),
        **party_of(draw),
        "court_name": court_of(draw),
        "filing_date": draw.decided_on - timedelta(days=rng.randrange(60, 200)),
        "ruling_no": _case(draw, "执终", 1),
        "terminated_on": draw.decided_on,
        "claim_cny": claim,
        "unperformed_cny": (claim * rng.randrange(20, 101) / 100).quantize(Decimal("0.01")),
        "resumed_on": draw.decided_on + timedelta(days=rng.randrange(30, 190)) if resumed else None,
        "status": "恢复执行" if resumed else "终本",
    }


def _amend_terminated(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "终本" and rng.random() < 0.4:
        return {"status": "恢复执行", "resumed_on": today}
    return {"unperformed_cny": (record["claim_cny"] * rng.randrange(1, 100) / 100).quantize(Decimal("0.01"))}


def _new_bankruptcy(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    procedure = rng.choice(("破产清算", "重整", "和解"))
    closed = draw.decided_on < draw.day - timedelta(days=300) and rng.random() < 0.4
    return {
        "case_no": _case(draw, "破申", 1),
        "uscc": enterprise.uscc,
        "debtor_name": enterprise.name,
        "procedure": procedure,
        "ruling_no": _case(draw, "破", 1),
        "accepted_on": draw.decided_on,
        "court_name": court_of(draw),
        "administrator": f"广东拟{rng.choice('信诚明达')}律师事务所" if rng.random() < 0.8 else None,
        "stage": rng.choice(("终结", "重整计划执行完毕")) if closed else "受理",
        "closed_on": draw.decided_on + timedelta(days=rng.randrange(100, 290)) if closed else None,
    }


def _amend_bankruptcy(rng: random.Random, record: Record, today: date) -> Record:
    if record["stage"] in ("受理", "重整计划执行中") and rng.random() < 0.3:
        return {"stage": "终结", "closed_on": today}
    return {"administrator": f"广东拟{rng.choice('信诚明达')}{rng.choice('正和公允')}会计师事务所"}


JUDGMENT = Feed(
    id="court.judgment",
    title="民事裁判",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("case_no", "案号"),
        text("party_type", "当事人类型", enum=(PERSON, ORGANISATION)),
        text("party_name", "当事人姓名或名称", max_length=200),
        text("resident_id", "身份证号码", required=False, check="resident_id", required_when=(When("party_type", (PERSON,)),)),
        text("uscc", "统一社会信用代码", required=False, check="uscc", required_when=(When("party_type", (ORGANISATION,)),)),
        text("cause", "案由"),
        text("position", "诉讼地位", enum=("原告", "被告", "第三人")),
        text("court_name", "受理法院"),
        day("filing_date", "立案时间", date_style=DateStyle.COMPACT, not_future=True),
        amount("claim_cny", "立案标的", required=False),
        text("document_no", "裁判文书号"),
        day("closed_on", "结案日期", not_future=True, not_before="filing_date"),
        text("closing_method", "结案方式", enum=CLOSINGS),
        text("status", "状态", enum=("生效", "撤销")),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("case_no",),
    party_in_key=True,
    new=_new_judgment,
    amend=_amend_judgment,
    initial_rows=150,
    nightly_rows=12,
    collected_from=date(1991, 4, 9),
    withdrawal=("status", "撤销"),
    decided_on="closed_on",
    one_of=IDENTITY,
    person_field="resident_id",
    persons_share=0.4,
)  # fmt: skip

CONSUMPTION_RESTRICTION = Feed(
    id="court.consumption_restriction",
    title="限制消费令",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("order_no", "限制消费令文号"),
        text("party_type", "被限制人类型", enum=(PERSON, ORGANISATION)),
        text("party_name", "被限制人姓名或名称", max_length=200),
        text("resident_id", "身份证号码", required=False, check="resident_id", required_when=(When("party_type", (PERSON,)),)),
        text("uscc", "统一社会信用代码", required=False, check="uscc", required_when=(When("party_type", (ORGANISATION,)),)),
        text("case_no", "案号"),
        text("related_enterprise", "所涉单位", required=False),
        text("court_name", "执行法院"),
        day("filing_date", "立案时间", date_style=DateStyle.COMPACT, not_future=True),
        day("issued_on", "发布日期", date_style=DateStyle.CHINESE, not_future=True, not_before="filing_date"),
        day("lifted_on", "解除日期", required=False, not_future=True, not_before="issued_on"),
        text("lifting_reason", "解除原因", required=False, required_when=(When("lifted_on"),)),
        text("status", "状态", enum=("限制中", "解除", "撤销")),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("order_no",),
    party_in_key=True,
    new=_new_restriction,
    amend=_amend_restriction,
    initial_rows=150,
    nightly_rows=12,
    collected_from=date(1991, 4, 9),
    document="order_no",
    withdrawal=("status", "撤销"),
    decided_on="issued_on",
    one_of=IDENTITY,
    person_field="resident_id",
    persons_share=0.5,
)  # fmt: skip

TERMINATED_ENFORCEMENT = Feed(
    id="court.terminated_enforcement",
    title="终结本次执行程序案件",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("case_no", "案号"),
        text("party_type", "被执行人类型", enum=(PERSON, ORGANISATION)),
        text("party_name", "被执行人姓名或名称", max_length=200),
        text("resident_id", "身份证号码", required=False, check="resident_id", required_when=(When("party_type", (PERSON,)),)),
        text("uscc", "统一社会信用代码", required=False, check="uscc", required_when=(When("party_type", (ORGANISATION,)),)),
        text("court_name", "执行法院"),
        day("filing_date", "立案时间", date_style=DateStyle.COMPACT, not_future=True),
        text("ruling_no", "终本裁定文号"),
        day("terminated_on", "终本日期", not_future=True, not_before="filing_date"),
        amount("claim_cny", "执行标的"),
        amount("unperformed_cny", "未履行金额"),
        day("resumed_on", "恢复执行日期", required=False, not_future=True, not_before="terminated_on", required_when=(When("status", ("恢复执行",)),)),
        text("status", "状态", enum=("终本", "恢复执行", "撤销")),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("case_no",),
    party_in_key=True,
    new=_new_terminated,
    amend=_amend_terminated,
    initial_rows=150,
    nightly_rows=10,
    collected_from=date(1991, 4, 9),
    document="ruling_no",
    withdrawal=("status", "撤销"),
    decided_on="terminated_on",
    one_of=IDENTITY,
    person_field="resident_id",
    persons_share=0.4,
)  # fmt: skip

BANKRUPTCY = Feed(
    id="court.bankruptcy",
    title="破产重整",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("case_no", "案号"),
        text("uscc", "统一社会信用代码", check="uscc"),
        text("debtor_name", "债务人名称", max_length=200),
        text("procedure", "案件类型", enum=("破产清算", "重整", "和解")),
        text("ruling_no", "受理裁定文号"),
        day("accepted_on", "受理日期", not_future=True),
        text("court_name", "受理法院"),
        text("administrator", "管理人机构", required=False),
        text("stage", "案件进展", enum=STAGES),
        day("closed_on", "终结日期", required=False, not_future=True, not_before="accepted_on", required_when=(When("stage", ("重整计划执行完毕", "终结")),)),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("case_no", "uscc"),
    new=_new_bankruptcy,
    amend=_amend_bankruptcy,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(2007, 6, 1),
    withdrawal=("stage", "撤销"),
    decided_on="accepted_on",
)  # fmt: skip
