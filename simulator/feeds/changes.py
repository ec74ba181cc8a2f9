"""What becomes of records after they were told: 修复, 撤销, 异议, 恢复 (DOMAIN.md §4.5–4.6), one feed per department.

A change is about a live record, about one that was rejected and comes right on a later night, or about one nobody ever
sends. Some settle an earlier change: an objection is decided, a repair taken back.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from simulator.feeds.market_regulation import DOCUMENT_TYPES
from simulator.schema import AUTHORITY, Draw, Feed, Medium, OneOf, Record, When, day, stamp, text

FOLLOWS = "_follows"
"""Not delivered: number of the change this one settles."""
MAY_BE_FOLLOWED = "_may_be_followed"
"""Not delivered: another change may settle this one."""

IDENTITY = (OneOf(("uscc", "resident_id")),)
SEVERITIES = ("轻微", "一般", "较重", "严重")
_REPAIR, _FILED = "repair", "objection_filed"
_FIRST = (_REPAIR, "revocation", _FILED)
_SECOND = {_REPAIR: ("reinstatement",), _FILED: ("objection_upheld", "objection_dismissed")}
_REASONS = {
    _REPAIR: "义务履行完毕并作出守信承诺，准予修复",
    "revocation": "原决定被依法撤销",
    _FILED: "当事人对记载事实提出异议",
    "objection_upheld": "经核查，记载事实有误，异议成立",
    "objection_dismissed": "经核查，记载事实无误，异议不成立",
    "reinstatement": "以虚假材料取得修复，恢复公示",
    "severity_finding": "依照本领域裁量基准认定",
}


def _new(words: Mapping[str, str], about: tuple[str, ...], mark: str) -> Callable[[Draw], Record]:
    """Changes in a department's own words (kind → word), carrying the fields ``about`` of the record."""

    def new(draw: Draw) -> Record:
        rng, earlier = draw.rng, draw.earlier
        if earlier:
            kind = rng.choice(_SECOND[earlier[MAY_BE_FOLLOWED]])
            record = earlier
            effective_on = max(earlier["effective_on"] + timedelta(days=1), draw.decided_on)
        else:
            assert draw.known is not None, "a change is about a record"
            kind = rng.choice([*_FIRST, "severity_finding"] if "severity_finding" in words else _FIRST)
            record, effective_on = draw.known, draw.decided_on
        is_objection = kind.startswith("objection")
        objection_no = earlier["objection_no"] if earlier else f"YY{mark}{draw.serial:07d}"
        change: Record = {
            "change_no": f"BG{mark}{draw.serial:08d}",
            **{name: record[name] for name in about},
            "change_kind": words[kind],
            "effective_on": effective_on,
            "change_document_no": f"{mark}变更〔{effective_on.year}〕{draw.serial + 1}号",
            "reason": _REASONS[kind],
            "objection_no": objection_no if is_objection else None,
            FOLLOWS: earlier["change_no"] if earlier else None,
            MAY_BE_FOLLOWED: kind if kind in _SECOND else None,
        }
        if "severity_finding" in words:
            change["severity"] = rng.choice(SEVERITIES) if kind == "severity_finding" else None
        return change

    return new


def _amend(rng: random.Random, record: Record, today: date) -> Record:
    return {"reason": f"{record['reason'].split('（')[0]}（{today:%m%d}更正{rng.randrange(100)}）"}


def _with_op(new: Callable[[Draw], Record]) -> Callable[[Draw], Record]:
    return lambda draw: {**new(draw), "change_op": "I"}


def _amend_with_op(rng: random.Random, record: Record, today: date) -> Record:
    return {**_amend(rng, record, today), "change_op": "U"}


_COURT = {
    _REPAIR: "履行完毕修复", "revocation": "撤销", _FILED: "异议受理", "objection_upheld": "异议成立",
    "objection_dismissed": "异议不成立", "reinstatement": "恢复发布",
}  # fmt: skip
_MARKET = {
    _REPAIR: "修复", "revocation": "撤销", _FILED: "异议受理", "objection_upheld": "异议成立",
    "objection_dismissed": "异议不成立", "reinstatement": "恢复", "severity_finding": "程度认定",
}  # fmt: skip
_TAX = dict(zip(_REASONS, ("01", "02", "03", "04", "05", "06"), strict=False))
_WAGES = {**_COURT, _REPAIR: "移出修复", "reinstatement": "恢复列入"}

DEBTOR_CHANGE = Feed(
    id="court.debtor_change",
    title="失信被执行人信息变更",
    medium=Medium.ZIPPED_CSV,
    fields=(
        text("change_no", "变更编号"),
        text("record_no", "编号"),
        text("party_name", "被执行人姓名或名称", max_length=200),
        text("resident_id", "身份证号码", required=False, check="resident_id"),
        text("uscc", "统一社会信用代码", required=False, check="uscc"),
        text("change_kind", "变更种类", enum=("履行完毕修复", "撤销", "异议受理", "异议成立", "异议不成立", "恢复发布")),
        day("effective_on", "生效日期", not_future=True),
        text("change_document_no", "变更文书号"),
        text("reason", "变更事由"),
        text("objection_no", "异议编号", required=False, required_when=(When("change_kind", ("异议受理", "异议成立", "异议不成立")),)),
        stamp("updated_at", "最新更新时间"),
    ),
    key=("change_no",),
    new=_new(_COURT, ("record_no", "party_name", "resident_id", "uscc"), "法"),
    amend=_amend,
    initial_rows=120,
    nightly_rows=10,
    collected_from=date(1991, 4, 9),
    target="court.dishonest_judgment_debtor",
    decided_on="effective_on",
    one_of=IDENTITY,
    person_field="resident_id",
)  # fmt: skip

PENALTY_CHANGE = Feed(
    id="market_regulation.penalty_change",
    title="行政处罚信息变更",
    medium=Medium.CSV,
    fields=(
        text("change_no", "变更编号"),
        text("document_no", "CF_WSH"),
        text("authority_name", "CF_CFJG", pattern=AUTHORITY),
        text("party_name", "CF_XDR_MC", max_length=200),
        text("uscc", "CF_XDR_SHXYM", required=False, check="uscc"),
        text("party_id_type", "CF_XDR_ZJLX", required=False, enum=DOCUMENT_TYPES, required_when=(When("resident_id"),)),
        text("resident_id", "CF_XDR_ZJHM", required=False, check="resident_id"),
        text("change_kind", "变更种类", enum=("修复", "撤销", "异议受理", "异议成立", "异议不成立", "恢复", "程度认定")),
        day("effective_on", "生效日期", not_future=True),
        text("change_document_no", "变更文书号"),
        text("reason", "变更事由"),
        text("objection_no", "异议编号", required=False, required_when=(When("change_kind", ("异议受理", "异议成立", "异议不成立")),)),
        text("severity", "严重程度", required=False, enum=SEVERITIES, required_when=(When("change_kind", ("程度认定",)),)),
        stamp("updated_at", "SJC"),
    ),
    key=("change_no",),
    new=_new(
        _MARKET, ("document_no", "authority_name", "party_name", "uscc", "party_id_type", "resident_id"), "监"
    ),
    amend=_amend,
    initial_rows=150,
    nightly_rows=12,
    collected_from=date(1996, 10, 1),
    target="market_regulation.administrative_penalty",
    decided_on="effective_on",
    one_of=IDENTITY,
    person_field="resident_id",
)  # fmt: skip

VIOLATION_CHANGE = Feed(
    id="tax.violation_change",
    title="重大税收违法失信信息变更",
    medium=Medium.API,
    fields=(
        text("change_no"),
        text("case_document_no"),
        text("taxpayer_name", max_length=200),
        text("taxpayer_id", check="uscc"),
        text("change_kind", enum=("01", "02", "03", "04", "05", "06")),
        day("effective_on", not_future=True),
        text("change_document_no"),
        text("reason"),
        text("objection_no", required=False, required_when=(When("change_kind", ("03", "04", "05")),)),
        stamp("updated_at"),
    ),
    key=("change_no",),
    new=_new(_TAX, ("case_document_no", "taxpayer_name", "taxpayer_id"), "税"),
    amend=_amend,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(2001, 5, 1),
    target="tax.major_tax_violation",
    decided_on="effective_on",
    uscc_field="taxpayer_id",
)  # fmt: skip

WAGE_LIST_CHANGE = Feed(
    id="social_security.wage_list_change",
    title="拖欠农民工工资失信名单变更",
    medium=Medium.TABLE,
    fields=(
        text("change_no"),
        text("document_no"),
        text("party_name", max_length=200),
        text("uscc", required=False, check="uscc"),
        text("resident_id", required=False, check="resident_id"),
        text("change_kind", enum=("移出修复", "撤销", "异议受理", "异议成立", "异议不成立", "恢复列入")),
        day("effective_on", not_future=True),
        text("change_document_no"),
        text("reason"),
        text("objection_no", required=False, required_when=(When("change_kind", ("异议受理", "异议成立", "异议不成立")),)),
        text("change_op", enum=("I", "U")),
        stamp("updated_at"),
    ),
    key=("change_no",),
    new=_with_op(_new(_WAGES, ("document_no", "party_name", "uscc", "resident_id"), "社")),
    amend=_amend_with_op,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(2004, 12, 1),
    target="social_security.wage_arrears_list",
    decided_on="effective_on",
    one_of=IDENTITY,
    person_field="resident_id",
)  # fmt: skip
