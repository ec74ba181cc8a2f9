"""What a feed contract says, as types.

The file on disk follows the Open Data Contract Standard (ODCS v3.2). What ODCS has a place for is written there
(names, types, enums, keys, required flags); what only a credit office needs stands in ``customProperties`` and is
read into the models below, which forbid unknown keys.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Field_
from pydantic.alias_generators import to_camel

from credit_warehouse.catalogue.model import CatalogueItem
from credit_warehouse.identity.codes import Kind


class Terms(BaseModel):
    """Base of everything read from a contract: camelCase in the file, unknown keys are errors."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class FieldType(StrEnum):
    """ODCS logical types a department delivery may carry."""

    STRING = "string"
    DATE = "date"
    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    NUMBER = "number"


class Pii(StrEnum):
    """How a field may be shown: the class decides masking in marts and who may read it."""

    NONE = "none"
    NAME = "name"
    IDENTIFIER = "identifier"
    SENSITIVE = "sensitive"
    THIRD_PARTY = "third_party"


class RequiredWhen(Terms):
    """The field is required in rows where ``field`` holds one of ``values`` (any of a multi-valued field), or,
    without ``values``, where ``field`` is filled. ``unless`` turns the list round."""

    field: str
    values: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class FieldTerms(Terms):
    """The credit office's own terms of one field (ODCS ``customProperties`` of a property)."""

    label_en: str | None = None
    pii: Pii = Pii.NONE
    check: Kind | None = None
    """The kind of identity code the field holds (DOMAIN.md §2)."""
    allow_masked: bool = False
    multi_value_separator: str | None = None
    required_when: tuple[RequiredWhen, ...] = ()
    not_future: bool = False
    not_before: str | None = None
    unit: str | None = None
    delivered_unit: Literal["CNY_10K"] | None = None
    """万元 as delivered; stored in 元 (×10000). ``minimum``/``maximum`` speak of the delivered figure."""
    min_fill_rate: float | None = None
    envelope: bool = False
    """Transport columns (change_op, change_seq …) that describe the delivery and not the record."""
    pattern_means: str | None = None
    """What the pattern asks for, in words a clerk understands."""
    meanings: dict[str, str] = {}
    """What each delivered code means in our terms: marts carry the meaning, raw the code. Codes not listed are no default
    but an error; for a multi-valued field it speaks of each value."""


class Field(BaseModel):
    """One delivered column.

    ``name`` is ours (snake_case, English), ``header`` the sender's, ``label`` what a clerk calls it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    header: str
    label: str
    description: str
    type: FieldType
    required: bool = False
    key_position: int | None = None
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    terms: FieldTerms = FieldTerms()

    @property
    def postgres_type(self) -> str:
        """Type of the raw column; money and other decimals are exact."""
        return {
            FieldType.STRING: "text",
            FieldType.DATE: "date",
            FieldType.TIMESTAMP: "timestamp",
            FieldType.INTEGER: "bigint",
            FieldType.NUMBER: "numeric(20,2)",
        }[self.type]


class Department(Terms):
    """The unit that answers for the feed. ``code`` is stable. ``name``: in the file that of its family, 人民法院; once
    loaded the present official name in the office's city, 惠州市中级人民法院."""

    code: str
    name: str


class Delivery(Terms):
    """How and where the department hands over."""

    connection: str
    protocol: Literal["sftp", "rest", "exchange"]
    format: Literal["csv", "xlsx", "jsonl"]
    container: Literal["zip"] | None = None
    encoding: str = "utf-8"
    path: str
    """sftp: file path with ``{yyyymmdd}``; rest: resource path; exchange: ``schema.table``."""
    receipt: Literal["manifest", "sha256"] | None = None


class Bounds(Terms):
    """Rows one delivery may hold; outside it the batch is refused."""

    min: int
    max: int


class Volume(Terms):
    """``initial`` holds for a feed's first accepted batch, ``nightly`` for all later ones."""

    initial: Bounds
    nightly: Bounds


class Drift(Terms):
    """What to do about columns the contract does not know, or optional ones that are gone.

    A missing required column always refuses the batch; order never matters.
    """

    extra_columns: Literal["warn", "refuse"] = "warn"
    missing_optional: Literal["warn", "refuse"] = "warn"


class OneOf(Terms):
    """At least one of the fields must be filled (代码组), in every row or in those of ``when``."""

    name: str
    label: str
    fields: tuple[str, ...]
    when: RequiredWhen | None = None


class Subject(Terms):
    """Which fields name the subject of the record: the strongest valid identifier of a row is its key."""

    name: str
    uscc: str | None = None
    org_code: str | None = None
    registration_no: str | None = None
    tax_no: str | None = None
    resident_id: str | None = None
    resident_id_type: str | None = None
    """Field with the kind of document (身份证, 护照, …): it says by which rule the number is checked and keyed."""
    organisation_if: tuple[str, ...] = ()
    """Any of these fields filled: the party is an organisation, and the resident ID its representative's (DOMAIN.md §3.1)."""
    in_natural_key: bool = False

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Fields that may identify the subject, the strongest first."""
        fields = (self.uscc, self.org_code, self.registration_no, self.tax_no, self.resident_id)
        return tuple(field for field in fields if field)


class Responsible(Terms):
    """A person who answers for the organisation of the record, and for how long where the fields say so."""

    name: str
    resident_id: str | None = None
    resident_id_type: str | None = None
    role: str
    """What the office calls the role, e.g. 法定代表人; one person per role and record."""
    from_: str | None = Field_(default=None, alias="from")
    until: str | None = None


class Withdrawal(Terms):
    """A row with one of these values takes the record back."""

    field: str
    values: tuple[str, ...]


class EndedWhen(Terms):
    """The end date counts only while ``field`` holds one of ``values``: a case can be closed and not be over."""

    field: str
    values: tuple[str, ...]


class Record(Terms):
    """How a row becomes a core credit record: constants and, per core column, the field that fills it."""

    category: Literal[
        "登记备案",
        "资质资格",
        "行政许可",
        "行政处罚",
        "行政奖励",
        "行政确认",
        "行政给付",
        "判决执行",
        "红黑名单",
        "行政管理",
    ]
    effect: Literal["adverse", "neutral", "positive"]
    list_name: str | None = None
    title: str | None = None
    content: str | None = None
    document_no: str | None = None
    authority_name: str | None = None
    decision_date: str
    valid_from: str | None = None
    valid_until: str | None = None
    listed_on: str | None = None
    published_on: str | None = None
    """Day of publication, where the display clock starts there and not with the finding (DOMAIN.md §4.4)."""
    conduct_ended_on: str | None = None
    ended_on: str | None = None
    ended_when: EndedWhen | None = None
    end_reason: str | None = None
    severity: str | None = None
    """Field with the severity the deciding body found; its meanings are 未定, 轻微, 一般, 较重, 严重."""
    penalty_kinds: tuple[str, ...] = ()
    """Fields with kinds of penalty, in the terms of 行政处罚法 art. 9."""
    usage_scope: str | None = None
    """Field with the scope of use the sender set; its meanings are the catalogue's tiers (DOMAIN.md §3.1)."""
    rating_year: str | None = None
    amount_cny: str | None = None
    status: str | None = None
    display_until: str | None = None
    is_subject_register: bool = False
    """The feed is the register of organisations: it makes a subject *known*."""
    region_code: str | None = None
    registration_status: str | None = None


class PopulationRegister(Terms):
    """The feed lists a population that coverage is measured against: one row per member and stay."""

    population: Literal[
        "population", "enterprise", "institution", "social_organisation", "professional_group"
    ]
    group: str | None = None
    """Field with the professional group (DOMAIN.md §1.6), for the population ``professional_group``."""
    district: str | None = None
    joined_on: str
    left_on: str | None = None
    """Field with the day the member left: the first it no longer belongs."""
    last_on: str | None = None
    """Or, where the register gives it, the last day it belongs."""

    @model_validator(mode="after")
    def _one_end(self) -> PopulationRegister:
        if self.left_on and self.last_on:
            raise ValueError("a register gives either leftOn or lastOn")
        return self


class Change(Terms):
    """The feed tells of changes to records of another feed, known by that feed's natural key (DOMAIN.md §4.5–4.6).

    Fields of the target's natural key, and of its subject where that belongs to the key, have the same names here.
    """

    target: str
    kind: str
    """Field with the kind of change; its meanings are those of ``ops.record_event.kind``."""
    effective_on: str
    document_no: str
    reason: str
    objection_no: str | None = None
    severity: str | None = None


class FeedTerms(Terms):
    """The credit office's own terms of a feed (ODCS top-level ``customProperties``).

    A feed brings records, a register, or changes of records; the register of organisations brings both of the first.
    """

    department: Department
    catalogue_item: str
    """Code of the item the feed is collected under; tier, legal basis and clocks stand in ``catalogue/``."""
    delivery: Delivery
    max_age_days: int
    """Publication blocks when the newest accepted batch is older than this many calendar days."""
    volume: Volume
    reject_budget: float
    drift: Drift = Drift()
    one_of: tuple[OneOf, ...] = ()
    subject: Subject
    responsible: tuple[Responsible, ...] = ()
    withdrawal: Withdrawal | None = None
    record: Record | None = None
    record_as: str | None = None
    """Feed whose records these are too: the same decision delivered by both, in two generations of a standard, is one
    record. Both have the same natural key."""
    unnumbered_key: tuple[str, ...] = ()
    """Fields that stand in the key for the document number where the sender writes that there is none (空)."""
    double_publicity: str | None = None
    """Edition of the double-publicity items (DOMAIN.md §3.1) the feed comes in: its records go up to the province in it."""
    population_register: PopulationRegister | None = None
    change: Change | None = None
    updated_field: str
    """Field by which the sender orders versions of one record."""


class FeedContract(BaseModel):
    """One feed. ``feed`` is ``<source>.<name>`` and is what every table, task and message calls it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: str
    label: str
    version: str
    description: str
    fields: tuple[Field, ...]
    terms: FeedTerms
    item: CatalogueItem
    department_family: str
    """What the department is called in any city: for files that are generated once for all of them."""

    @property
    def decided_field(self) -> str:
        """Field with the day the row's fact was decided: the catalogue must hold the item on that day."""
        terms = self.terms
        if terms.record:
            return terms.record.decision_date
        return terms.change.effective_on if terms.change else terms.population_register.joined_on  # type: ignore[union-attr]

    @property
    def authority_header(self) -> str | None:
        """The sender's column with the body that decided, where the feed has one."""
        record = self.terms.record
        return self.field(record.authority_name).header if record and record.authority_name else None

    @property
    def is_subject_register(self) -> bool:
        """Whether the feed is the register of organisations, which makes a subject known."""
        return self.terms.record is not None and self.terms.record.is_subject_register

    @property
    def is_register(self) -> bool:
        """Whether the feed knows best what its subjects are called and numbered; a professional group does not."""
        population = self.terms.population_register
        return self.is_subject_register or (population is not None and population.group is None)

    @property
    def source(self) -> str:
        return self.feed.split(".", 1)[0]

    @property
    def name(self) -> str:
        return self.feed.split(".", 1)[1]

    @property
    def department_label(self) -> str:
        """How messages name the sender: department and feed."""
        return f"{self.terms.department.name}“{self.label}”"

    @property
    def relation(self) -> str:
        """Name of the raw table and of the view of its accepted rows, without schema."""
        return self.feed.replace(".", "__")

    @property
    def natural_key(self) -> tuple[str, ...]:
        """Field names, in key order; the subject's identifier comes on top where the contract says so."""
        keyed = [f for f in self.fields if f.key_position is not None]
        return tuple(f.name for f in sorted(keyed, key=lambda f: f.key_position or 0))

    @property
    def key_fields(self) -> frozenset[str]:
        """Every field the key of a record is made from."""
        subject = self.terms.subject
        in_key = subject.identifiers if subject.in_natural_key else ()
        return frozenset({*self.natural_key, *in_key, *self.terms.unnumbered_key})

    def document_type(self, number: str) -> str | None:
        """Field that says of which kind the document is whose number the field ``number`` holds."""
        people: tuple[Subject | Responsible, ...] = (self.terms.subject, *self.terms.responsible)
        return next((one.resident_id_type for one in people if one.resident_id == number), None)

    def field(self, name: str) -> Field:
        """The field called ``name``.

        Raises:
            KeyError: the contract has no such field.
        """
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.feed}: no field {name!r}")

    @model_validator(mode="after")
    def _every_reference_names_a_field(self) -> FeedContract:
        names = {f.name for f in self.fields}
        headers = [f.header for f in self.fields]
        if len(names) != len(self.fields) or len(set(headers)) != len(headers):
            raise ValueError(f"{self.feed}: field names and headers must be unique")
        terms = self.terms
        wanted = [terms.updated_field, terms.subject.name]
        wanted += [*terms.subject.identifiers, *terms.subject.organisation_if, terms.subject.resident_id_type]  # type: ignore[list-item]
        for person in terms.responsible:
            wanted += [value for key, value in person if key != "role"]
        wanted += [name for group in terms.one_of for name in group.fields]
        wanted += [group.when.field for group in terms.one_of if group.when]
        wanted += terms.unnumbered_key
        wanted += [terms.withdrawal.field] if terms.withdrawal else []
        constants = {
            "category",
            "effect",
            "list_name",
            "is_subject_register",
            "ended_when",
            "penalty_kinds",
            "population",
            "target",
        }
        for block in (terms.record, terms.population_register, terms.change):
            wanted += [v for k, v in (block.model_dump() if block else {}).items() if k not in constants]
        if terms.record:
            wanted += terms.record.penalty_kinds
        if terms.record and terms.record.ended_when:
            wanted.append(terms.record.ended_when.field)
        if (terms.change is None) == (terms.record is None and terms.population_register is None):
            raise ValueError(f"{self.feed}: a feed has a record or register block, or a change block")
        if terms.record and terms.record.effect == "adverse" and not terms.record.document_no:
            raise ValueError(
                f"{self.feed}: an adverse record needs documentNo, the document that established it"
            )
        for field in self.fields:
            wanted += [rule.field for rule in field.terms.required_when]
            wanted += [field.terms.not_before]  # type: ignore[list-item]
        unknown = sorted({w for w in wanted if w is not None} - names)
        if unknown:
            raise ValueError(f"{self.feed}: unknown field(s) {', '.join(unknown)}")
        for kind in (Kind.USCC, Kind.ORG_CODE, Kind.REGISTRATION_NO, Kind.TAX_NO):
            name = getattr(terms.subject, kind)
            if name and self.field(name).terms.check is not kind:
                raise ValueError(f"{self.feed}: {name} identifies the subject and needs the check {kind}")
        for person in terms.responsible:
            if self.field(person.name).terms.pii is not Pii.NAME:
                raise ValueError(f"{self.feed}: {person.name} names a person and needs the class pii: name")
        if len({person.role for person in terms.responsible}) != len(terms.responsible):
            raise ValueError(f"{self.feed}: two responsible persons of one role")
        if not self.natural_key:
            raise ValueError(f"{self.feed}: no primaryKey field")
        return self
