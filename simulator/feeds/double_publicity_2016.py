"""行政处罚 and 行政许可 in the items of 2016 (DOMAIN.md §3.1), beside those of 2018: offices that never changed over, and
decisions both generations tell.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from simulator.feeds.market_regulation import LICENCE_KINDS, LONG_TERM, office
from simulator.schema import (
    AUTHORITY,
    KNOWN_BY_USCC,
    NO_NUMBER,
    Draw,
    Feed,
    Medium,
    OneOf,
    Record,
    When,
    day,
    stamp,
    text,
)  # fmt: skip

CODES = ("uscc", "org_code", "registration_no", "tax_no")
PARTY = (*CODES, "resident_id", "legal_representative", "party_name")
KINDS = ("警告", "罚款", "没收违法所得、没收非法财物", "责令停产停业", "暂扣或者吊销许可证、暂扣或者吊销执照", "行政拘留", "其他")  # fmt: skip
KINDS_OF_2016 = {
    "警告": "警告",
    "通报批评": "其他",
    "罚款": "罚款",
    "没收违法所得": "没收违法所得、没收非法财物",
    "吊销许可证件": "暂扣或者吊销许可证、暂扣或者吊销执照",
    "责令停产停业": "责令停产停业",
}
GROUPS = (OneOf((*CODES, "resident_id")), OneOf(CODES, When("legal_representative")))
STATUSES = ("0", "1", "2", "3")


def _party(draw: Draw) -> Record:
    """An organisation by one of four codes, a person by number."""
    blank: Record = dict.fromkeys((*CODES, "resident_id", "legal_representative", KNOWN_BY_USCC))
    if draw.known:
        known = draw.known
        codes = _either_code(draw, known["uscc"]) if known["uscc"] else {"resident_id": known["resident_id"]}
        name = {name: known[name] for name in ("party_name", "legal_representative")}
        return {**blank, **name, **codes, KNOWN_BY_USCC: known["uscc"]}
    if draw.person:
        return {**blank, "party_name": draw.person.name, "resident_id": draw.person.resident_id}
    rng, enterprise = draw.rng, draw.enterprise
    named: Record = {
        **blank,
        "party_name": enterprise.name,
        "legal_representative": enterprise.representative,
        KNOWN_BY_USCC: enterprise.uscc,
    }
    if rng.random() < 0.2:
        named["resident_id"] = draw.world.person(enterprise.representative_index).resident_id
    if enterprise.registration_no and rng.random() < 0.1:
        return {**named, "registration_no": enterprise.registration_no}
    if rng.random() < 0.04:
        return {**named, "tax_no": f"{enterprise.region.code}{draw.serial:09d}", KNOWN_BY_USCC: None}
    return {**named, **_either_code(draw, enterprise.uscc)}


def _either_code(draw: Draw, uscc: str) -> Record:
    """The unified code, or the organisation code it holds."""
    if draw.rng.random() < 0.2:
        return {"org_code": f"{uscc[8:16]}-{uscc[16]}"}
    return {"uscc": uscc, "tax_no": uscc if draw.rng.random() < 0.1 else None}


def _ending(draw: Draw) -> Record:
    return {
        "status": "2" if draw.rng.random() < 0.03 else "0",
        "region_code": draw.enterprise.region.code,
        "usage_scope": draw.rng.choice((None, "0", "0", "1", "2")),
        "remark": None,
    }


def _new_penalty(draw: Draw) -> Record:
    rng, region, known = draw.rng, draw.enterprise.region, draw.known
    violation = rng.choice(("未按规定明码标价", "销售不合格产品", "虚假宣传", "无证经营", "商标侵权"))
    if known:
        kinds = [KINDS_OF_2016[kind] for kind in known["penalty_kind"].split(";")]
        told: Record = {
            "document_no": known["document_no"],
            "decision_date": known["decision_date"],
            "authority_name": known["authority_name"],
            "violation_facts": known["violation_facts"],
        }
    else:
        kinds = rng.choice(
            (["罚款"], ["罚款"], ["警告"], ["警告", "罚款"], ["罚款", KINDS[2]], [KINDS[4]], [KINDS[3]])
        )
        told = {
            "document_no": f"{region.document_mark}市监罚字〔{draw.decided_on.year}〕旧{draw.serial + 1}号",
            "decision_date": draw.decided_on,
            "authority_name": office(draw)[0],
            "violation_facts": f"当事人于{draw.decided_on - timedelta(days=60):%Y年%m月}存在{violation}行为",
        }
    return {
        **_party(draw),
        **told,
        "penalty_name": violation,
        "penalty_code": f"4402{draw.serial:06d}" if rng.random() < 0.3 else None,
        "penalty_kind_1": kinds[0],
        "penalty_kind_2": kinds[1] if len(kinds) > 1 else None,
        "legal_basis": "《中华人民共和国行政处罚法》第二十八条第一款",
        "result": f"{'、'.join(kinds)}，罚款{Decimal(rng.choice((500, 2_000, 20_000)))}元" if "罚款" in kinds else kinds[0],
        **_ending(draw),
        "severity": rng.choice((None, "0", "1", "1", "2", "3")),
        "display_until": told["decision_date"] + timedelta(days=rng.choice((90, 365, 1095))) if rng.random() < 0.7 else None,
    }  # fmt: skip


def _amend_penalty(rng: random.Random, record: Record, today: date) -> Record:
    return {"severity": rng.choice("123"), "remark": f"{today:%m月%d日}更正失信严重程度{rng.randrange(100)}"}


def _new_licence(draw: Draw) -> Record:
    rng, region, known = draw.rng, draw.enterprise.region, draw.known
    project = rng.choice(("食品经营许可", "特种设备使用登记", "药品经营许可", "计量标准考核"))
    if known:
        told: Record = {
            name: known[name]
            for name in ("document_no", "decision_date", "authority_name", "content", "licence_kind")
        }
    else:
        number = f"{region.document_mark}市监许字〔{draw.decided_on.year}〕旧{draw.serial + 1}号"
        told = {
            "document_no": NO_NUMBER if rng.random() < 0.1 else number,
            "decision_date": draw.decided_on,
            "authority_name": office(draw)[0],
            "content": f"准予{project}（受理号{draw.serial + 1}）",
            "licence_kind": rng.choice(LICENCE_KINDS),
        }
    return {
        **_party(draw),
        **told,
        "project_name": project,
        "licence_code": f"4401{draw.serial:06d}" if rng.random() < 0.3 else None,
        "valid_until": rng.choice((None, LONG_TERM, told["decision_date"] + timedelta(days=1825))),
        **_ending(draw),
    }  # fmt: skip


def _amend_licence(rng: random.Random, record: Record, today: date) -> Record:
    return {"valid_until": today + timedelta(days=365 * rng.choice((1, 3))), "remark": f"{today:%m月%d日}延续{rng.randrange(100)}"}  # fmt: skip


ADMINISTRATIVE_PENALTY_V2016 = Feed(
    id="market_regulation.administrative_penalty_v2016",
    title="行政处罚（2016版）",
    medium=Medium.WORKBOOK,
    fields=(
        text("party_name", "CF_XDR_MC", max_length=128),
        text("uscc", "CF_XDR_SHXYM", required=False, check="uscc"),
        text("org_code", "CF_XDR_ZDM", required=False, check="org_code"),
        text("registration_no", "CF_XDR_GSDJ", required=False, check="registration_no"),
        text("tax_no", "CF_XDR_SWDJ", required=False, check="tax_no"),
        text("resident_id", "CF_XDR_SFZ", required=False, check="resident_id"),
        text("legal_representative", "CF_FR", required=False, required_when=(When("uscc"),)),
        text("document_no", "CF_WSH"),
        text("penalty_name", "CF_CFMC"),
        text("penalty_code", "CF_BM", required=False),
        text("penalty_kind_1", "CF_CFLB1", enum=KINDS),
        text("penalty_kind_2", "CF_CFLB2", required=False, enum=KINDS),
        text("violation_facts", "CF_SY"),
        text("legal_basis", "CF_YJ"),
        text("result", "CF_JG"),
        day("decision_date", "CF_JDRQ", not_future=True),
        text("authority_name", "CF_XZJG", pattern=AUTHORITY),
        text("status", "CF_ZT", enum=STATUSES),
        text("region_code", "DFBM", pattern=r"^\d{6}$"),
        text("usage_scope", "CF_SYFW", required=False, enum=("0", "1", "2")),
        text("severity", "CF_SXYZCD", required=False, enum=STATUSES),
        day("display_until", "CF_GSJZQ", required=False, not_before="decision_date"),
        text("remark", "BZ", required=False),
        stamp("updated_at", "SJC"),
    ),
    key=("document_no", "authority_name"),
    party_in_key=True,
    new=_new_penalty,
    amend=_amend_penalty,
    initial_rows=200,
    nightly_rows=12,
    collected_from=date(1996, 10, 1),
    document="document_no",
    record_as="market_regulation.administrative_penalty",
    withdrawal=("status", "1"),
    decided_on="decision_date",
    one_of=GROUPS,
    other_codes=CODES[1:],
    party_fields=PARTY,
    organisation_if=(*CODES, "legal_representative"),
    person_field="resident_id",
    persons_share=0.15,
)  # fmt: skip

ADMINISTRATIVE_LICENCE_V2016 = Feed(
    id="market_regulation.administrative_licence_v2016",
    title="行政许可（2016版）",
    medium=Medium.WORKBOOK,
    fields=(
        text("document_no", "XK_WSH"),
        text("project_name", "XK_XMMC"),
        text("licence_code", "XK_BM", required=False),
        text("licence_kind", "XK_SPLB", enum=LICENCE_KINDS),
        text("content", "XK_NR"),
        text("party_name", "XK_XDR", max_length=256),
        text("uscc", "XK_XDR_SHXYM", required=False, check="uscc"),
        text("org_code", "XK_XDR_ZDM", required=False, check="org_code"),
        text("registration_no", "XK_XDR_GSDJ", required=False, check="registration_no"),
        text("tax_no", "XK_XDR_SWDJ", required=False, check="tax_no"),
        text("resident_id", "XK_XDR_SFZ", required=False, check="resident_id"),
        text("legal_representative", "XK_FR", required=False),
        day("decision_date", "XK_JDRQ", not_future=True),
        day("valid_until", "XK_JZQ", required=False, not_before="decision_date"),
        text("authority_name", "XK_XZJG", pattern=AUTHORITY),
        text("status", "XK_ZT", enum=STATUSES),
        text("region_code", "DFBM", pattern=r"^\d{6}$"),
        text("usage_scope", "XK_SYFW", required=False, enum=("0", "1", "2")),
        text("remark", "BZ", required=False),
        stamp("updated_at", "SJC"),
    ),
    key=("document_no", "authority_name"),
    party_in_key=True,
    unnumbered=("decision_date", "content"),
    new=_new_licence,
    amend=_amend_licence,
    initial_rows=200,
    nightly_rows=12,
    collected_from=date(2004, 7, 1),
    record_as="market_regulation.administrative_licence",
    withdrawal=("status", "1"),
    decided_on="decision_date",
    one_of=GROUPS,
    other_codes=CODES[1:],
    party_fields=PARTY,
    organisation_if=(*CODES, "legal_representative"),
    person_field="resident_id",
    persons_share=0.1,
)  # fmt: skip
