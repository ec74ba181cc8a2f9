"""Market regulation: 企业登记, 行政处罚 and 行政许可 (双公示 2018 items), 经营异常名录 (DOMAIN.md §3.1, §3.5)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.schema import AUTHORITY, Draw, Feed, Medium, Record, When, amount, day, stamp, text
from simulator.world import office_uscc

PARTY_TYPES = ("法人及非法人组织", "自然人", "个体工商户")
DOCUMENT_TYPES = (
    "身份证", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "护照号", "外国人永久居留身份证",
)  # fmt: skip
PARTY_FIELDS = (
    "party_name", "party_type", "uscc", "legal_representative", "party_id_type", "resident_id",
)  # fmt: skip
PENALTY_KINDS = (
    "警告", "通报批评", "罚款", "没收违法所得", "没收非法财物", "暂扣许可证件", "降低资质等级", "吊销许可证件",
    "限制开展生产经营活动", "责令停产停业", "责令关闭", "限制从业", "行政拘留", "其他",
)  # fmt: skip
LICENCE_KINDS = ("普通", "特许", "认可", "核准", "登记", "其他")
ABNORMAL_CAUSES = (
    "未按规定期限公示年度报告", "未按责令期限公示企业信息", "公示信息隐瞒真实情况弄虚作假",
    "通过登记的住所或经营场所无法联系",
)  # fmt: skip
GONE = ("注销", "迁出")
LONG_TERM = date(2099, 12, 31)
"""How the 2018 standard writes 长期."""
FINE_CEILING = 10_000
"""万元: a larger figure means that the sender wrote 元."""


def office(draw: Draw) -> tuple[str, str]:
    """Name and code of the market regulation office where the party is."""
    region = draw.enterprise.region
    return f"{region.city}{region.county}市场监督管理局", office_uscc("market", region)


def _party(draw: Draw) -> Record:
    if draw.person:
        return {
            "party_name": draw.person.name,
            "party_type": "自然人",
            "uscc": None,
            "legal_representative": None,
            "party_id_type": "身份证",
            "resident_id": draw.person.resident_id,
        }
    individual = draw.enterprise.is_individual_business
    return {
        "party_name": draw.enterprise.name,
        "party_type": "个体工商户" if individual else "法人及非法人组织",
        "uscc": draw.enterprise.uscc,
        "legal_representative": draw.enterprise.representative,
        "party_id_type": None,
        "resident_id": None,
    }


def _new_registration(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    newly_founded = enterprise.index >= draw.world.enterprises
    short_lived = newly_founded and draw.decided_on < draw.day - timedelta(days=40) and rng.random() < 0.2
    status = (
        ("注销" if short_lived else "存续")
        if newly_founded
        else rng.choices(("存续", "在业", "吊销", "注销", "迁出"), (60, 26, 4, 8, 2))[0]
    )
    return {
        "uscc": enterprise.uscc,
        "registration_no": enterprise.registration_no,
        "enterprise_name": enterprise.name,
        "enterprise_type": enterprise.enterprise_type,
        "legal_representative": enterprise.representative,
        "registered_capital_cny": Decimal(enterprise.capital_cny) if rng.random() < 0.9 else None,
        "established_on": draw.decided_on - timedelta(days=30 * short_lived)
        if newly_founded
        else enterprise.established_on,
        "deregistered_on": draw.decided_on if status in GONE else None,
        "address": enterprise.address,
        "region_code": enterprise.region.code,
        "business_scope": enterprise.scope if rng.random() < 0.95 else None,
        "authority": office(draw)[0],
        "registration_status": status,
        "approved_on": draw.decided_on,
    }


def _amend_registration(rng: random.Random, record: Record, today: date) -> Record:
    change = rng.choice(("status", "address", "capital"))
    if change == "status" and record["registration_status"] in ("存续", "在业"):
        status = rng.choice(("注销", "吊销", "迁出"))
        gone = today if status in GONE else None
        return {"registration_status": status, "deregistered_on": gone, "approved_on": today}
    if change == "address":
        return {"address": f"{record['address'].split('(')[0]}({today:%m%d}变更)", "approved_on": today}
    return {"registered_capital_cny": Decimal(rng.randrange(10, 3_000) * 10_000), "approved_on": today}


def _new_penalty(draw: Draw) -> Record:
    rng, region = draw.rng, draw.enterprise.region
    authority, authority_code = office(draw)
    kinds = rng.choices(
        (
            ("罚款",),
            ("警告",),
            ("罚款", "没收违法所得"),
            ("警告", "罚款"),
            ("通报批评",),
            ("吊销许可证件",),
            ("责令停产停业",),
        ),
        (50, 16, 12, 12, 4, 3, 3),
    )[0]
    fine = (
        Decimal(rng.choice((1_000, 2_000, 5_000, 12_345, 50_000, 100_000, 350_050)))
        if "罚款" in kinds
        else None
    )
    violation = rng.choice(
        ("未按规定明码标价", "销售不合格产品", "虚假宣传", "无证经营", "商标侵权", "食品标签不符合规定")
    )
    return {
        **_party(draw),
        "document_no": f"{region.document_mark}市监罚〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "violation_type": violation,
        "violation_facts": f"当事人于{draw.decided_on - timedelta(days=60):%Y年%m月}存在{violation}行为",
        "legal_basis": "《中华人民共和国行政处罚法》第二十八条第一款",
        "penalty_kind": ";".join(kinds),
        "content": "；".join(kinds) + (f"，罚款{fine}元" if fine else ""),
        "fine_cny": fine,
        "confiscated_cny": draw.amount(100, 60_000) if "没收违法所得" in kinds else None,
        "suspended_licence": f"食品经营许可证JY{region.code}{draw.serial:06d}"
        if "吊销许可证件" in kinds
        else None,
        "decision_date": draw.decided_on,
        "valid_until": LONG_TERM if rng.random() < 0.3 else draw.decided_on + timedelta(days=365),
        "display_until": draw.decided_on + timedelta(days=rng.choice((90, 365, 1095)))
        if rng.random() < 0.8
        else None,
        "authority_name": authority,
        "authority_uscc": authority_code,
        "status": "1",
        "source_unit": authority,
        "source_unit_uscc": authority_code,
        "remark": "简易程序" if rng.random() < 0.1 else None,
    }


def _amend_penalty(rng: random.Random, record: Record, today: date) -> Record:
    if record["fine_cny"] is not None:
        return {
            "fine_cny": record["fine_cny"] + rng.randrange(1, 80) * 100,
            "remark": f"{today:%m月%d日}更正罚款金额",
        }
    return {"violation_facts": f"{record['violation_facts'][:60]}（更正{rng.randrange(1_000)}）"}


def _new_licence(draw: Draw) -> Record:
    rng, region = draw.rng, draw.enterprise.region
    authority, authority_code = office(draw)
    certificate = rng.choice(("食品经营许可证", "特种设备使用登记证", "药品经营许可证", "计量标准考核证书"))
    return {
        **_party(draw),
        "document_name": "准予行政许可决定书",
        "document_no": f"{region.document_mark}市监许准〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "licence_kind": rng.choice(LICENCE_KINDS),
        "certificate_name": certificate if rng.random() < 0.8 else None,
        "licence_no": f"JY{region.code}{draw.serial:08d}" if rng.random() < 0.8 else None,
        "content": f"准予核发{certificate}",
        "decision_date": draw.decided_on,
        "valid_from": draw.decided_on,
        "valid_until": LONG_TERM
        if rng.random() < 0.3
        else draw.decided_on + timedelta(days=365 * rng.choice((3, 5))),
        "authority_name": authority,
        "authority_uscc": authority_code,
        "status": "1",
        "source_unit": authority,
        "source_unit_uscc": authority_code,
        "remark": None,
    }


def _amend_licence(rng: random.Random, record: Record, today: date) -> Record:
    later = max(record["valid_until"], today) if record["valid_until"] != LONG_TERM else record["valid_from"]
    return {
        "valid_until": later + timedelta(days=365 * rng.choice((1, 3))),
        "remark": f"{today:%Y年%m月%d日}延续",
    }


def _new_abnormal(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    authority, _ = office(draw)
    removed = draw.decided_on < draw.day - timedelta(days=150) and rng.random() < 0.4
    return {
        "uscc": enterprise.uscc,
        "document_no": f"{enterprise.region.document_mark}市监异列〔{draw.decided_on.year}〕{draw.serial + 1}号",
        "enterprise_name": enterprise.name,
        "cause": rng.choice(ABNORMAL_CAUSES),
        "listed_on": draw.decided_on,
        "authority": authority,
        "removed_on": draw.decided_on + timedelta(days=rng.randrange(10, 140)) if removed else None,
        "removal_reason": "已补报未报年份的年度报告并公示" if removed else None,
        "removal_authority": authority if removed else None,
    }


def _amend_abnormal(rng: random.Random, record: Record, today: date) -> Record:
    if record["removed_on"] is None and rng.random() < 0.7:
        return {
            "removed_on": today,
            "removal_reason": "已补报未报年份的年度报告并公示",
            "removal_authority": record["authority"],
        }
    return {"cause": rng.choice([cause for cause in ABNORMAL_CAUSES if cause != record["cause"]])}


ENTERPRISE_REGISTRATION = Feed(
    id="market_regulation.enterprise_registration",
    title="企业登记",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("registration_no", "工商注册号", required=False, check="registration_no"),
        text("enterprise_name", "企业名称", max_length=200),
        text("enterprise_type", "企业类型"),
        text("legal_representative", "法定代表人", max_length=50),
        amount("registered_capital_cny", "注册资本", required=False, ten_thousands=True),
        day("established_on", "成立日期"),
        text("address", "住所"),
        text("region_code", "行政区划代码", pattern=r"^\d{6}$"),
        text("business_scope", "经营范围", required=False),
        text("authority", "登记机关"),
        text("registration_status", "登记状态", enum=("存续", "在业", "吊销", "注销", "迁出")),
        day("deregistered_on", "注销或迁出日期", required=False, not_future=True, not_before="established_on",
            required_when=(When("registration_status", GONE),)),
        day("approved_on", "核准日期", not_future=True, not_before="established_on"),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc",),
    new=_new_registration,
    amend=_amend_registration,
    initial_rows=2_000,
    nightly_rows=60,
    collected_from=date(1994, 7, 1),
    decided_on="approved_on",
    is_register=True,
    other_codes=("registration_no",),
    by_serial=True,
)  # fmt: skip

ADMINISTRATIVE_PENALTY = Feed(
    id="market_regulation.administrative_penalty",
    title="行政处罚",
    medium=Medium.WORKBOOK,
    fields=(
        text("party_name", "CF_XDR_MC", max_length=200),
        text("party_type", "CF_XDR_LB", enum=PARTY_TYPES),
        text("uscc", "CF_XDR_SHXYM", required=False, check="uscc",
             required_when=(When("party_type", unless=("自然人",)),)),
        text("legal_representative", "CF_FRDB", required=False,
             required_when=(When("party_type", ("法人及非法人组织",)),)),
        text("party_id_type", "CF_XDR_ZJLX", required=False, enum=DOCUMENT_TYPES,
             required_when=(When("party_type", ("自然人",)),)),
        text("resident_id", "CF_XDR_ZJHM", required=False, check="resident_id",
             required_when=(When("party_type", ("自然人",)),)),
        text("document_no", "CF_WSH"),
        text("violation_type", "CF_WFXW"),
        text("violation_facts", "CF_SY"),
        text("legal_basis", "CF_YJ"),
        text("penalty_kind", "CF_CFLB", enum=PENALTY_KINDS, multi=True),
        text("content", "CF_NR"),
        amount("fine_cny", "CF_NR_FK", required=False, ten_thousands=True, maximum=FINE_CEILING,
               required_when=(When("penalty_kind", ("罚款",)),)),
        amount("confiscated_cny", "CF_NR_WFFF", required=False, ten_thousands=True, maximum=FINE_CEILING,
               required_when=(When("penalty_kind", ("没收违法所得", "没收非法财物")),)),
        text("suspended_licence", "CF_NR_ZKDX", required=False,
             required_when=(When("penalty_kind", ("暂扣许可证件", "吊销许可证件")),)),
        day("decision_date", "CF_JDRQ", not_future=True),
        day("valid_until", "CF_YXQ", not_before="decision_date"),
        day("display_until", "CF_GSJZQ", required=False, not_before="decision_date"),
        text("authority_name", "CF_CFJG", pattern=AUTHORITY),
        text("authority_uscc", "CF_CFJGDM", check="uscc"),
        text("status", "CF_ZT", enum=("1", "2")),
        text("source_unit", "CF_SJLY"),
        text("source_unit_uscc", "CF_SJLYDM"),
        text("remark", "BZ", required=False),
        stamp("updated_at", "SJC"),
    ),
    key=("document_no", "authority_name"),
    party_in_key=True,
    new=_new_penalty,
    amend=_amend_penalty,
    initial_rows=600,
    nightly_rows=70,
    collected_from=date(1996, 10, 1),
    document="document_no",
    withdrawal=("status", "2"),
    decided_on="decision_date",
    party_fields=PARTY_FIELDS,
    person_field="resident_id",
    persons_share=0.15,
)  # fmt: skip

ADMINISTRATIVE_LICENCE = Feed(
    id="market_regulation.administrative_licence",
    title="行政许可",
    medium=Medium.WORKBOOK,
    fields=(
        text("party_name", "XK_XDR_MC", max_length=200),
        text("party_type", "XK_XDR_LB", enum=PARTY_TYPES),
        text("uscc", "XK_XDR_SHXYM", required=False, check="uscc",
             required_when=(When("party_type", unless=("自然人",)),)),
        text("legal_representative", "XK_FRDB", required=False,
             required_when=(When("party_type", ("法人及非法人组织",)),)),
        text("party_id_type", "XK_XDR_ZJLX", required=False, enum=DOCUMENT_TYPES,
             required_when=(When("party_type", ("自然人",)),)),
        text("resident_id", "XK_XDR_ZJHM", required=False, check="resident_id",
             required_when=(When("party_type", ("自然人",)),)),
        text("document_name", "XK_XKWS"),
        text("document_no", "XK_WSH"),
        text("licence_kind", "XK_XKLB", enum=LICENCE_KINDS),
        text("certificate_name", "XK_XKZS", required=False),
        text("licence_no", "XK_XKBH", required=False),
        text("content", "XK_NR"),
        day("decision_date", "XK_JDRQ", not_future=True),
        day("valid_from", "XK_YXQZ"),
        day("valid_until", "XK_YXQZI", not_before="valid_from"),
        text("authority_name", "XK_XKJG", pattern=AUTHORITY),
        text("authority_uscc", "XK_XKJGDM", check="uscc"),
        text("status", "XK_ZT", enum=("1", "2")),
        text("source_unit", "XK_LYDW"),
        text("source_unit_uscc", "XK_LYDWDM"),
        text("remark", "BZ", required=False),
        stamp("updated_at", "SJC"),
    ),
    key=("document_no", "authority_name"),
    party_in_key=True,
    unnumbered=("decision_date", "content"),
    new=_new_licence,
    amend=_amend_licence,
    initial_rows=800,
    nightly_rows=70,
    collected_from=date(2004, 7, 1),
    withdrawal=("status", "2"),
    decided_on="decision_date",
    party_fields=PARTY_FIELDS,
    person_field="resident_id",
    persons_share=0.1,
)  # fmt: skip

ABNORMAL_OPERATION = Feed(
    id="market_regulation.abnormal_operation",
    title="经营异常名录",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("document_no", "列入决定文号"),
        text("enterprise_name", "企业名称", max_length=200),
        text("cause", "列入原因", enum=ABNORMAL_CAUSES),
        day("listed_on", "列入日期", not_future=True),
        text("authority", "列入决定机关"),
        day("removed_on", "移出日期", required=False, not_before="listed_on"),
        text("removal_reason", "移出原因", required=False, required_when=(When("removed_on"),)),
        text("removal_authority", "移出决定机关", required=False),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc", "document_no"),
    new=_new_abnormal,
    amend=_amend_abnormal,
    initial_rows=400,
    nightly_rows=50,
    collected_from=date(2014, 10, 1),
    decided_on="listed_on",
)
