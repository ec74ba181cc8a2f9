"""Market regulation: 严重违法失信名单, 抽查检查, 个体工商户经营异常状态, 守信荣誉, 信用承诺 (DOMAIN.md §3.5, §3.6)."""

from __future__ import annotations

import random
from datetime import date, timedelta

from simulator.feeds.market_regulation import office
from simulator.schema import Draw, Feed, Medium, Record, When, day, stamp, text
from simulator.world import FIRST_STRANGER, Enterprise

RESULTS = (
    "未发现问题", "未按规定公示应当公示的信息", "公示信息隐瞒真实情况弄虚作假", "通过登记的住所无法联系", "发现问题已责令改正",
    "不配合检查情节严重",
)  # fmt: skip
MARKING_CAUSES = ("未按规定报送年度报告", "公示信息隐瞒真实情况弄虚作假", "通过登记的经营场所或住所无法联系")
COMMITMENTS = ("审批替代型", "容缺受理型", "证明事项型", "主动公示型", "行业自律型", "信用修复型")


def _document(draw: Draw, kind: str) -> str:
    return f"{draw.enterprise.region.document_mark}市监{kind}〔{draw.decided_on.year}〕{draw.serial + 1}号"


def _new_serious(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    removed = draw.decided_on < draw.day - timedelta(days=500) and rng.random() < 0.4
    return {
        "uscc": enterprise.uscc,
        "document_no": _document(draw, "严列"),
        "enterprise_name": enterprise.name,
        "cause": rng.choice(("生产销售不符合食品安全标准的食品，情节严重", "提交虚假材料取得市场主体登记", "商标恶意注册情节严重")),
        "listed_on": draw.decided_on,
        "authority": office(draw)[0],
        "published_on": min(draw.day, draw.decided_on + timedelta(days=rng.randrange(3))),
        "removed_on": draw.decided_on + timedelta(days=rng.randrange(366, 480)) if removed else None,
        "removal_reason": "列入满一年，已履行义务并消除危害后果" if removed else None,
        "removal_authority": office(draw)[0] if removed else None,
        "status": "移出" if removed else "列入",
    }  # fmt: skip


def _amend_serious(rng: random.Random, record: Record, today: date) -> Record:
    if record["status"] == "列入" and rng.random() < 0.3:
        return {
            "status": "移出",
            "removed_on": today,
            "removal_reason": "列入决定机关准予提前移出",
            "removal_authority": record["authority"],
        }
    return {"cause": f"{record['cause'].split('（')[0]}（{today:%m%d}更正{rng.randrange(100)}）"}


def _new_check(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    return {
        "check_no": f"CC{enterprise.region.code}{draw.serial:08d}",
        "uscc": enterprise.uscc,
        "enterprise_name": enterprise.name,
        "inspection_type": rng.choice("12"),
        "inspected_on": draw.decided_on,
        "authority": office(draw)[0],
        "result": rng.choice(RESULTS),
        "status": "有效",
    }


def _amend_check(rng: random.Random, record: Record, today: date) -> Record:
    return {"result": rng.choice([result for result in RESULTS if result != record["result"]])}


def _household(draw: Draw) -> Enterprise:
    """The next household business after the enterprise drawn; strangers stay strangers."""
    index = draw.enterprise.index
    while not draw.world.enterprise(index).is_individual_business:
        index = index + 1 if index >= FIRST_STRANGER else (index + 1) % draw.world.enterprises
    return draw.world.enterprise(index)


def _new_marking(draw: Draw) -> Record:
    rng, household = draw.rng, _household(draw)
    restored = draw.decided_on < draw.day - timedelta(days=150) and rng.random() < 0.4
    authority = f"{household.region.city}{household.region.county}市场监督管理局"
    return {
        "uscc": household.uscc,
        "document_no": _document(draw, "个异"),
        "business_name": household.name,
        "operator": household.representative,
        "cause": rng.choice(MARKING_CAUSES),
        "marked_on": draw.decided_on,
        "authority": authority,
        "restored_on": draw.decided_on + timedelta(days=rng.randrange(10, 140)) if restored else None,
        "restoration_reason": "已补报年度报告" if restored else None,
    }


def _amend_marking(rng: random.Random, record: Record, today: date) -> Record:
    if record["restored_on"] is None and rng.random() < 0.6:
        return {"restored_on": today, "restoration_reason": "已补报年度报告"}
    return {"cause": rng.choice([cause for cause in MARKING_CAUSES if cause != record["cause"]])}


def _new_honour(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    return {
        "document_no": _document(draw, "表彰"),
        "uscc": enterprise.uscc,
        "organisation_name": enterprise.name,
        "honour_name": rng.choice(("守合同重信用企业", "质量管理先进单位", "放心消费示范单位")),
        "authority": office(draw)[0],
        "decided_on": draw.decided_on,
        "display_until": draw.decided_on + timedelta(days=365 * rng.choice((2, 3))) if rng.random() < 0.8 else None,
        "status": "有效",
    }  # fmt: skip


def _amend_honour(rng: random.Random, record: Record, today: date) -> Record:
    return {"display_until": today + timedelta(days=365 * rng.choice((1, 2)) + rng.randrange(30))}


def _new_commitment(draw: Draw) -> Record:
    rng, enterprise = draw.rng, draw.enterprise
    return {
        "commitment_no": f"CN{enterprise.region.code}{draw.serial:08d}",
        "uscc": enterprise.uscc,
        "organisation_name": enterprise.name,
        "commitment_type": rng.choice(COMMITMENTS),
        "matter": rng.choice(("食品经营许可告知承诺", "住所登记申报承诺", "产品质量主动公示承诺")),
        "made_on": draw.decided_on,
        "authority": office(draw)[0],
        "fulfilment": rng.choice(("履行中", "履行中", "已履行", "部分履行")),
        "status": "有效",
    }


def _amend_commitment(rng: random.Random, record: Record, today: date) -> Record:
    kept = [state for state in ("已履行", "部分履行", "未履行") if state != record["fulfilment"]]
    return {"fulfilment": rng.choice(kept)}


SERIOUS_VIOLATION_LIST = Feed(
    id="market_regulation.serious_violation_list",
    title="严重违法失信名单",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("document_no", "列入决定文号"),
        text("enterprise_name", "企业名称", max_length=200),
        text("cause", "列入原因"),
        day("listed_on", "列入日期", not_future=True),
        text("authority", "列入决定机关"),
        day("published_on", "公示日期", not_future=True, not_before="listed_on"),
        day("removed_on", "移出日期", required=False, not_before="listed_on"),
        text("removal_reason", "移出原因", required=False, required_when=(When("removed_on"),)),
        text("removal_authority", "移出决定机关", required=False),
        text("status", "状态", enum=("列入", "移出", "撤销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc", "document_no"),
    new=_new_serious,
    amend=_amend_serious,
    initial_rows=150,
    nightly_rows=6,
    collected_from=date(2014, 10, 1),
    document="document_no",
    withdrawal=("status", "撤销"),
    decided_on="listed_on",
)  # fmt: skip

SPOT_CHECK = Feed(
    id="market_regulation.spot_check",
    title="抽查检查结果",
    medium=Medium.CSV,
    fields=(
        text("check_no", "检查编号"),
        text("uscc", "统一社会信用代码", check="uscc"),
        text("enterprise_name", "企业名称", max_length=200),
        text("inspection_type", "检查类型", enum=("1", "2")),
        day("inspected_on", "检查日期", not_future=True),
        text("authority", "检查实施机关"),
        text("result", "检查结果", enum=RESULTS),
        text("status", "状态", enum=("有效", "撤销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("check_no", "uscc"),
    new=_new_check,
    amend=_amend_check,
    initial_rows=150,
    nightly_rows=10,
    collected_from=date(2014, 10, 1),
    withdrawal=("status", "撤销"),
    decided_on="inspected_on",
)  # fmt: skip

INDIVIDUAL_BUSINESS_ABNORMAL = Feed(
    id="market_regulation.individual_business_abnormal",
    title="个体工商户经营异常状态",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("document_no", "标记决定文号"),
        text("business_name", "名称", max_length=200),
        text("operator", "经营者"),
        text("cause", "标记原因", enum=MARKING_CAUSES),
        day("marked_on", "标记日期", not_future=True),
        text("authority", "标记机关"),
        day("restored_on", "恢复日期", required=False, not_before="marked_on"),
        text("restoration_reason", "恢复原因", required=False, required_when=(When("restored_on"),)),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc", "document_no"),
    new=_new_marking,
    amend=_amend_marking,
    initial_rows=150,
    nightly_rows=8,
    collected_from=date(2011, 11, 1),
    decided_on="marked_on",
)  # fmt: skip

HONOUR = Feed(
    id="market_regulation.honour",
    title="守信荣誉",
    medium=Medium.CSV,
    fields=(
        text("document_no", "认定文号"),
        text("uscc", "统一社会信用代码", check="uscc"),
        text("organisation_name", "单位名称", max_length=200),
        text("honour_name", "荣誉名称"),
        text("authority", "认定机关"),
        day("decided_on", "认定日期", not_future=True),
        day("display_until", "公示截止期", required=False, not_before="decided_on"),
        text("status", "状态", enum=("有效", "撤销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("document_no", "uscc"),
    new=_new_honour,
    amend=_amend_honour,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(2016, 5, 30),
    withdrawal=("status", "撤销"),
    decided_on="decided_on",
)  # fmt: skip

CREDIT_COMMITMENT = Feed(
    id="market_regulation.credit_commitment",
    title="信用承诺",
    medium=Medium.CSV,
    fields=(
        text("commitment_no", "承诺书编号"),
        text("uscc", "统一社会信用代码", check="uscc"),
        text("organisation_name", "承诺单位名称", max_length=200),
        text("commitment_type", "承诺类型", enum=COMMITMENTS),
        text("matter", "承诺事由"),
        day("made_on", "做出承诺日期", not_future=True),
        text("authority", "承诺受理单位"),
        text("fulfilment", "履行情况", enum=("履行中", "已履行", "部分履行", "未履行")),
        text("status", "状态", enum=("有效", "撤销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("commitment_no",),
    new=_new_commitment,
    amend=_amend_commitment,
    initial_rows=150,
    nightly_rows=10,
    collected_from=date(2019, 7, 9),
    withdrawal=("status", "撤销"),
    decided_on="made_on",
)  # fmt: skip
