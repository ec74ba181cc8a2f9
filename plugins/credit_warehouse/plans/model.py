"""What the files in ``plans/`` say, as types. Every day is inclusive, as in the catalogue."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from credit_warehouse.catalogue.model import Dated, Entry

MeasureKind = Literal["population_coverage", "department_coverage"]


class Plan(Dated):
    """One plan. ``valid_from``, ``valid_to``: the period it is followed over, with the source of both."""

    code: str = Field(pattern=r"^[a-z]+_[a-z]+$")
    city: str
    title: str
    document: str
    valid_to: date
    period_source: str


class Unit(Entry):
    """One unit of a city for as long as it had this name and remit; no ``valid_from`` = older than the plans."""

    city: str
    code: str = Field(pattern=r"^[a-z_]+$")
    name: str
    kind: Literal["unit", "collective"] = "unit"
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    change: str | None = None
    """The reform that ended it."""
    department: str | None = None
    """Code of the supplying department it is (``cities/<city>.yaml``)."""

    @property
    def key(self) -> str:
        return f"{self.city}.{self.code}"

    @model_validator(mode="after")
    def _what_ends_has_an_heir_and_a_document(self) -> Unit:
        ends = self.valid_to is not None
        if ends != bool(self.successors) or ends != (self.change is not None):
            raise ValueError(f"{self.key}: validTo, successors and change are given together")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"{self.key}: validTo {self.valid_to} lies before validFrom {self.valid_from}")
        if self.kind == "collective" and (ends or self.department):
            raise ValueError(f"{self.key}: a collective neither ends nor supplies")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether it existed on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class Task(Entry):
    """One task of a plan. ``due_on`` none with ``deadline_kind`` ongoing: 长期坚持."""

    code: str
    plan: str
    article: str
    task: str
    lead: tuple[str, ...]
    """Keys of units, in the plan's order."""
    responsible: tuple[str, ...]
    deadline_kind: Literal["dated", "ongoing", "undated"]
    due_on: date | None
    deadline_source: str


class Target(Entry):
    """One target of a plan. ``target_value`` in percent where there is a number, else ``milestone`` in words."""

    code: str
    plan: str
    article: str
    metric: str
    target_value: Decimal | None = Field(default=None, gt=0, le=100)
    milestone: str | None = None
    scope_note: str
    qualitative: bool
    deadline_kind: Literal["dated", "ongoing"]
    due_on: date | None
    deadline_source: str
    measure: Measure | None = None


class Measure(Entry):
    """How the warehouse measures a target itself; ``denominator`` is what the denominator is called (DOMAIN.md §1.8)."""

    plan: str
    metric: str
    measure: MeasureKind
    population: (
        Literal["population", "enterprise", "institution", "social_organisation", "professional_group"] | None
    ) = None
    groups: tuple[str, ...] = ()
    denominator: str

    @model_validator(mode="after")
    def _a_population_is_named_where_one_is_covered(self) -> Measure:
        if (self.measure == "population_coverage") != (self.population is not None):
            raise ValueError(f"{self.metric}: population goes with population_coverage")
        if (self.population == "professional_group") != bool(self.groups):
            raise ValueError(f"{self.metric}: groups go with professional_group")
        return self


Target.model_rebuild()


class Plans(Entry):
    """Everything in ``plans/``."""

    plans: tuple[Plan, ...]
    units: tuple[Unit, ...]
    tasks: tuple[Task, ...]
    targets: tuple[Target, ...]

    @model_validator(mode="after")
    def _units_follow_each_other(self) -> Plans:
        units = {unit.key: unit for unit in self.units}
        if len(units) != len(self.units):
            raise ValueError("a unit code is used twice in a city")
        for unit in self.units:
            for code in unit.successors:
                heir = units.get(f"{unit.city}.{code}")
                assert unit.valid_to is not None
                if heir is None:
                    raise ValueError(f"{unit.key}: unknown successor {code}")
                # Which also keeps succession from coming back to where it began: every heir ends later.
                if not heir.holds_on(unit.valid_to + timedelta(days=1)):
                    raise ValueError(f"{unit.key}: {code} must exist the day after {unit.valid_to}")
        versions: dict[tuple[str, str], list[Unit]] = {}
        for unit in self.units:
            versions.setdefault((unit.city, unit.name), []).append(unit)
        for (city, name), same in versions.items():
            same.sort(key=lambda unit: unit.valid_from or date.min)
            for earlier, later in pairwise(same):
                if (
                    earlier.valid_to is None
                    or later.valid_from is None
                    or later.valid_from <= earlier.valid_to
                ):
                    raise ValueError(f"{city}: two units are called {name} at one time")
        return self
