"""Data administration: the registers coverage is measured against (DOMAIN.md §1.6, §1.8), UTF-8 CSV."""

from __future__ import annotations

import random
from datetime import date, timedelta

from simulator.place import neighbours
from simulator.schema import Draw, Feed, Medium, Record, When, day, stamp, text
from simulator.world import FIRST_INSTITUTION, FIRST_SOCIAL_ORGANISATION, Person

GROUPS = tuple(f"{number:02d}" for number in range(1, 31))
WITHOUT_LICENCE = ("01", "02", "03", "09")


def _began(draw: Draw, least: date) -> date:
    """Entries of the initial load are up to fifteen years old; later ones are as old as the night says."""
    if draw.decided_on > draw.day - timedelta(days=200):
        return draw.decided_on
    return max(least, draw.decided_on - timedelta(days=draw.rng.randrange(5_000)))


def _entry(draw: Draw, mark: str, person: Person) -> Record:
    return {
        "register_no": f"{mark}{draw.serial:010d}",
        "person_name": person.name,
        "resident_id": person.resident_id,
        "district": draw.rng.choice(draw.world.place.home).code,
    }


def _new_resident(draw: Draw) -> Record:
    rng = draw.rng
    # Everybody once, then those who came back.
    person = draw.world.person(draw.serial % draw.world.persons)
    began = _began(draw, date(1990, 1, 1))
    left = began < draw.day - timedelta(days=400) and rng.random() < 0.06
    return {
        **_entry(draw, "RK", person),
        "registered_on": began,
        "left_on": began + timedelta(days=rng.randrange(30, 390)) if left else None,
        "leaving_reason": rng.choice(("迁出", "注销")) if left else None,
    }


def _amend_resident(rng: random.Random, record: Record, today: date) -> Record:
    others = neighbours(record["district"])
    if record["left_on"] is None and (rng.random() < 0.4 or not others):
        return {"left_on": today, "leaving_reason": "迁出"}
    if not others:
        return {"leaving_reason": "注销" if record["leaving_reason"] == "迁出" else "迁出"}
    return {"district": rng.choice(others)}


def _new_professional(draw: Draw) -> Record:
    rng = draw.rng
    person = draw.world.person(rng.randrange(draw.world.persons))
    group = rng.choice(GROUPS)
    # Nobody is licensed before coming of age.
    began = _began(draw, max(date(2005, 1, 1), person.born_on + timedelta(days=18 * 366)))
    return {
        **_entry(draw, "ZY", person),
        "group_code": group,
        "licence_no": None if group in WITHOUT_LICENCE else f"ZYZ{group}{draw.serial:08d}",
        "authority": f"{draw.world.place.name}{rng.choice(('司法局', '教育局', '卫生健康局', '财政局', '住房和城乡建设局'))}",
        "valid_from": began,
        "valid_until": began + timedelta(days=365 * rng.choice((3, 5, 10))) if rng.random() < 0.5 else None,
    }


def _amend_professional(rng: random.Random, record: Record, today: date) -> Record:
    return {"valid_until": today + timedelta(days=365 * rng.choice((1, 3, 5)) + rng.randrange(30))}


def _organisation(draw: Draw) -> Record:
    began = _began(draw, date(1999, 1, 1))
    cancelled = began < draw.day - timedelta(days=40) and draw.rng.random() < 0.08
    enterprise = draw.enterprise
    return {
        "uscc": enterprise.uscc,
        "organisation_name": enterprise.name,
        "legal_representative": enterprise.representative,
        "district": enterprise.region.code,
        "authority": f"{enterprise.region.city}{enterprise.region.county}",
        "registered_on": began,
        "cancelled_on": began + timedelta(days=draw.rng.randrange(5, 40)) if cancelled else None,
        "registration_status": "注销" if cancelled else "正常",
    }


def _new_institution(draw: Draw) -> Record:
    organisation = _organisation(draw)
    place = organisation["authority"]
    return {
        **organisation,
        "certificate_no": f"{draw.enterprise.region.code}{draw.serial:06d}",
        "sponsor": f"{place}{draw.rng.choice(('教育局', '卫生健康局', '文化广电旅游体育局', '人民政府'))}",
        "authority": f"{place}事业单位登记管理局",
    }


def _new_social_organisation(draw: Draw) -> Record:
    organisation = _organisation(draw)
    return {
        **organisation,
        "certificate_no": f"{draw.world.place.register_mark}社证字第{draw.serial:06d}号",
        "organisation_type": draw.enterprise.enterprise_type,
        "authority": f"{organisation['authority']}民政局",
    }


def _amend_organisation(rng: random.Random, record: Record, today: date) -> Record:
    if record["registration_status"] == "正常" and rng.random() < 0.3:
        return {"registration_status": "注销", "cancelled_on": today}
    return {"legal_representative": f"{rng.choice('王李张刘陈')}{rng.choice('伟强芳敏')}{rng.choice('明华')}"}


POPULATION_REGISTER = Feed(
    id="data_administration.population_register",
    title="常住人口登记",
    medium=Medium.CSV,
    fields=(
        text("register_no", "登记编号"),
        text("person_name", "姓名", max_length=100),
        text("resident_id", "公民身份号码", check="resident_id"),
        text("district", "行政区划代码", pattern=r"^\d{6}$"),
        day("registered_on", "登记日期", not_future=True),
        day("left_on", "注销日期", required=False, not_before="registered_on"),
        text("leaving_reason", "注销原因", required=False, enum=("迁出", "注销"), required_when=(When("left_on"),)),
        stamp("updated_at", "更新时间"),
    ),
    key=("register_no",),
    new=_new_resident,
    amend=_amend_resident,
    initial_rows=600,
    nightly_rows=10,
    collected_from=date(1958, 1, 9),
    decided_on="registered_on",
    is_register=True,
    adults_on_delivery=True,
    uscc_field=None,
    person_field="resident_id",
)  # fmt: skip

PROFESSIONAL_REGISTER = Feed(
    id="data_administration.professional_register",
    title="重点人群执业登记",
    medium=Medium.CSV,
    fields=(
        text("register_no", "登记编号"),
        text("person_name", "姓名", max_length=100),
        text("resident_id", "公民身份号码", check="resident_id"),
        text("group_code", "人群代码", enum=GROUPS),
        text("licence_no", "执业证书编号", required=False, required_when=(When("group_code", unless=WITHOUT_LICENCE),)),
        text("authority", "登记机关"),
        text("district", "行政区划代码", pattern=r"^\d{6}$"),
        day("valid_from", "执业起始日期", not_future=True),
        day("valid_until", "执业终止日期", required=False, not_before="valid_from"),
        stamp("updated_at", "更新时间"),
    ),
    key=("register_no",),
    new=_new_professional,
    amend=_amend_professional,
    initial_rows=300,
    nightly_rows=10,
    collected_from=date(2004, 7, 1),
    decided_on="valid_from",
    is_register=True,
    uscc_field=None,
    person_field="resident_id",
)  # fmt: skip

INSTITUTION_REGISTER = Feed(
    id="data_administration.institution_register",
    title="事业单位登记",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("organisation_name", "单位名称", max_length=200),
        text("certificate_no", "事业单位法人证书号", pattern=r"^\d{12}$"),
        text("sponsor", "举办单位"),
        text("legal_representative", "法定代表人"),
        text("district", "行政区划代码", pattern=r"^\d{6}$"),
        text("authority", "登记机关"),
        day("registered_on", "登记日期", not_future=True),
        day("cancelled_on", "注销日期", required=False, not_before="registered_on", required_when=(When("registration_status", ("注销",)),)),
        text("registration_status", "登记状态", enum=("正常", "注销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc",),
    new=_new_institution,
    amend=_amend_organisation,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(1998, 10, 25),
    decided_on="registered_on",
    is_register=True,
    first_organisation=FIRST_INSTITUTION,
)  # fmt: skip

SOCIAL_ORGANISATION_REGISTER = Feed(
    id="data_administration.social_organisation_register",
    title="社会组织登记",
    medium=Medium.CSV,
    fields=(
        text("uscc", "统一社会信用代码", check="uscc"),
        text("organisation_name", "单位名称", max_length=200),
        text("certificate_no", "社会组织登记证号"),
        text("organisation_type", "社会组织类型", enum=("社会团体", "民办非企业单位", "基金会")),
        text("legal_representative", "法定代表人"),
        text("district", "行政区划代码", pattern=r"^\d{6}$"),
        text("authority", "登记机关"),
        day("registered_on", "登记日期", not_future=True),
        day("cancelled_on", "注销日期", required=False, not_before="registered_on", required_when=(When("registration_status", ("注销",)),)),
        text("registration_status", "登记状态", enum=("正常", "注销")),
        stamp("updated_at", "更新时间"),
    ),
    key=("uscc",),
    new=_new_social_organisation,
    amend=_amend_organisation,
    initial_rows=120,
    nightly_rows=6,
    collected_from=date(1998, 10, 25),
    decided_on="registered_on",
    is_register=True,
    first_organisation=FIRST_SOCIAL_ORGANISATION,
)  # fmt: skip
