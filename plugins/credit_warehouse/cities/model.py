"""What a city's file says, as types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d{5}$")]
"""GB/T 2260, six digits."""


class City(BaseModel):
    """One city and its credit office; camelCase in the file, unknown keys are errors."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z]+$")
    """The file's name, and what ``CREDIT_CITY`` says."""
    name: str
    level: Literal["prefecture", "county"]
    province: str
    prefecture: str | None = None
    """For a county: the prefecture it belongs to."""
    region_code: RegionCode
    region_source: str
    districts: dict[RegionCode, str] = Field(min_length=1)
    """Code → name; a county has itself only."""
    office_name: str
    region_rules: str
    """Region whose rows of ``catalogue/deadlines.yaml`` apply (DOMAIN.md §4.5–4.6)."""
    provincial_platform: str
    departments: dict[str, str] = Field(min_length=1)
    """Department code → its official name here."""
    source: str
    """Where the names were read, or that they still have to be checked."""

    @model_validator(mode="after")
    def _districts_fit_the_level(self) -> City:
        if self.level == "county":
            if self.prefecture is None:
                raise ValueError(f"{self.code}: a county names its prefecture")
            if self.districts != {self.region_code: self.name}:
                raise ValueError(f"{self.code}: a county has itself as its only district")
        elif self.prefecture is not None:
            raise ValueError(f"{self.code}: a prefecture belongs to no other")
        foreign = [code for code in self.districts if code[:4] != self.region_code[:4]]
        if foreign:
            raise ValueError(f"{self.code}: {', '.join(foreign)} lies outside {self.region_code}")
        return self
