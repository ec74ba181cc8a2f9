"""What the catalogue says, as types (DOMAIN.md §4.2–4.8).

Every day is inclusive: ``valid_from`` is the first day something holds, ``valid_to`` the last, none = until further notice.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

InformationClass = Literal[
    "登记注册基本信息",
    "司法裁判及执行信息",
    "行政管理信息",
    "职称和职业信息",
    "经营（活动）异常名录（状态）信息",
    "严重失信主体名单信息",
    "合同履行信息",
    "信用承诺及履行情况信息",
    "信用评价结果信息",
    "遵守法律法规情况信息",
    "诚实守信相关荣誉信息",
]
"""The eleven classes of the national catalogue (DOMAIN.md §4.3)."""

Tier = Literal["public", "government", "authorised"]
"""公示 / 政务共享 / 授权查询: the 0, 1, 2 of XK_SYFW (DOMAIN.md §3.1)."""

Severity = Literal["未定", "轻微", "一般", "较重", "严重"]

Domain = Literal[
    "食品药品", "安全生产", "消防安全", "交通安全", "环境保护", "生物安全", "产品质量", "税收缴纳", "医疗卫生", "劳动保障",
    "工程建设", "金融服务", "知识产权", "司法诉讼", "电子商务", "志愿服务", "计量检测", "审计鉴证",
]  # fmt: skip
"""重点领域 (DOMAIN.md §1.6)."""


class Entry(BaseModel):
    """Base of everything in the catalogue's files: camelCase keys, unknown keys are errors."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Dated(Entry):
    """Something that holds from one day to another."""

    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Dated:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"validTo {self.valid_to} lies before validFrom {self.valid_from}")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on ``day``."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class LegalBasis(Dated):
    """Why the office may hold this at all: no basis in force, no record (DOMAIN.md §4.2)."""

    type: Literal["law", "administrative_regulation", "local_regulation", "central_policy", "rule"]
    name: str
    article: str | None = None
    source: str
    """Where this entry was read: a section of DOMAIN.md, or that it still has to be checked."""


class Use(Entry):
    """The query and use clock (DOMAIN.md §4.4): how long a record may be looked up and used at all.

    ``months`` none = as long as the record exists. ``starts``: the end of the conduct where the record tells it, or
    the finding in the document.
    """

    months: int | None = None
    starts: Literal["conduct_end", "finding"] = "finding"
    source: str


class Report(Entry):
    """The report clock: how often, and within how many working days of the decision."""

    period: Literal["daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly"]
    sla_workdays: int = Field(ge=0)
    source: str


class ItemVersion(Dated):
    """One version of an item: what held for decisions made in its time."""

    version: int = Field(ge=1)
    information_class: InformationClass
    act: str
    """What is done to the subject: 行政处罚, 列入名单 …"""
    legal_basis: tuple[LegalBasis, ...] = Field(min_length=1)
    departments: tuple[str, ...] = Field(min_length=1)
    """Codes of the supplying departments."""
    tier: Tier
    display_class: str
    """Which display clock applies: a class of ``display.yaml``."""
    use: Use
    report: Report
    severity_source: str
    """Who says how serious it is; severity is never computed (DOMAIN.md §4.4)."""
    level: Literal["national", "province", "city"]
    serious_class: Literal[1, 2, 3, 4] | None = None
    """For a list of serious dishonesty: which of the four classes (DOMAIN.md §1.6)."""

    def basis_on(self, day: date) -> LegalBasis | None:
        """The legal basis in force on ``day``."""
        return next((basis for basis in self.legal_basis if basis.holds_on(day)), None)

    @model_validator(mode="after")
    def _one_basis_at_a_time(self) -> ItemVersion:
        bases = sorted(self.legal_basis, key=lambda basis: basis.valid_from)
        for earlier, later in pairwise(bases):
            if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
                raise ValueError(f"{earlier.name} must end before {later.name} begins")
        return self


class Withdrawal(Entry):
    """The item has left the catalogue: from this day on none of its records is held out to anybody."""

    on: date
    document: str
    reason: str


class CatalogueItem(Entry):
    """One item of the catalogue over time."""

    code: str = Field(pattern=r"^XY-\d{2}-\d{3}$")
    name: str
    versions: tuple[ItemVersion, ...] = Field(min_length=1)
    domain: Domain | None = None
    """None = the item belongs to no single domain."""
    withdrawn: Withdrawal | None = None

    def version_on(self, day: date) -> ItemVersion | None:
        """The version in force on ``day``."""
        return next((version for version in self.versions if version.holds_on(day)), None)

    def admits(self, decided_on: date) -> bool:
        """Whether a decision of that day may enter: an item in force then, with a legal basis in force then."""
        version = self.version_on(decided_on)
        return version is not None and version.basis_on(decided_on) is not None

    @property
    def latest(self) -> ItemVersion:
        return self.versions[-1]

    @model_validator(mode="after")
    def _versions_follow_each_other(self) -> CatalogueItem:
        for number, (earlier, later) in enumerate(pairwise(self.versions), start=1):
            if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
                raise ValueError(f"{self.code}: version {number} must end before the next begins")
        if [version.version for version in self.versions] != list(range(1, len(self.versions) + 1)):
            raise ValueError(f"{self.code}: versions are numbered 1, 2, 3 …")
        return self


class DisplayRule(Entry):
    """How long decisions of one severity are displayed, in months from the start of the display clock.

    ``shown`` false: not displayed in principle. ``max_months`` none: while the record holds.
    """

    severity: Severity
    shown: bool = True
    min_months: int = 0
    """Before this has passed a record cannot be repaired."""
    max_months: int | None = None


class DisplayRegime(Dated):
    """The rules of one time, by date of decision. ``takes_over``: what becomes of earlier decisions once it begins."""

    name: str
    source: str
    takes_over: Literal["shorter", "never"] = "shorter"
    """``shorter``: an earlier decision is shown no longer than this regime would have it; ``never``: it keeps its own."""
    rules: tuple[DisplayRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_rule_per_severity(self) -> DisplayRegime:
        severities = sorted(rule.severity for rule in self.rules)
        if severities not in (["未定"], sorted(get_args(Severity))):
            raise ValueError(
                f"{self.name}: one rule for 未定, where severity does not matter, or one for each"
            )
        return self


class DisplayClass(Entry):
    """One display clock (DOMAIN.md §4.4) over time. ``starts``: the finding in the document, or its publication."""

    code: str
    label: str
    starts: Literal["finding", "publication"] = "finding"
    regimes: tuple[DisplayRegime, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _regimes_cover_all_time(self) -> DisplayClass:
        for earlier, later in pairwise(self.regimes):
            if earlier.valid_to is None or (later.valid_from - earlier.valid_to).days != 1:
                raise ValueError(f"{self.code}: {later.name} must begin the day after {earlier.name} ends")
        if self.regimes[-1].valid_to is not None:
            raise ValueError(f"{self.code}: the last regime has no end")
        return self


class Deadline(Dated):
    """One step of a procedure and the time it may take (DOMAIN.md §4.5–4.6), by region."""

    procedure: Literal[
        "objection", "repair", "revocation", "clean_record", "query_log", "access_log", "feedback"
    ]
    step: str
    region: str = "*"
    """What ``regionRules`` of the office's city chooses by; ``*`` where it has no row of its own."""
    amount: int = Field(ge=0)
    unit: Literal["workday", "day", "month", "year"]
    source: str


class Forbidden(Entry):
    """A category nobody may collect (DOMAIN.md §4.8), and how it gives itself away."""

    category: str
    names: tuple[str, ...] = ()
    """Found in the name or label of a field, or of an item: the contract is refused."""
    values: tuple[str, ...] = ()
    """Found in a delivered text: the row is refused."""
    source: str


class Catalogue(BaseModel):
    """Everything in ``catalogue/``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: tuple[CatalogueItem, ...]
    display_classes: tuple[DisplayClass, ...]
    deadlines: tuple[Deadline, ...]
    forbidden: tuple[Forbidden, ...]

    def item(self, code: str) -> CatalogueItem:
        """The item called ``code``.

        Raises:
            KeyError: the catalogue has no such item: nothing may be collected under it.
        """
        for candidate in self.items:
            if candidate.code == code:
                return candidate
        raise KeyError(f"the catalogue has no item {code!r}")

    @model_validator(mode="after")
    def _everything_named_exists(self) -> Catalogue:
        codes = [item.code for item in self.items]
        if len(set(codes)) != len(codes):
            raise ValueError("an item code is used twice")
        classes = {display_class.code for display_class in self.display_classes}
        for item in self.items:
            unknown = {version.display_class for version in item.versions} - classes
            if unknown:
                raise ValueError(f"{item.code}: unknown display class {', '.join(sorted(unknown))}")
            for category in self.forbidden:
                if any(word in item.name for word in category.names):
                    raise ValueError(
                        f"{item.code} {item.name}: {category.category}不得归集（{category.source}）"
                    )
        return self
