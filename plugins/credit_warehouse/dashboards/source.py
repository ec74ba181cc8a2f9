"""What is written in ``dashboards/``: datasets, charts and dashboards, checked for shape when read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from credit_warehouse.dashboards.marts import Column, marts
from credit_warehouse.intake.error_codes import by_number
from credit_warehouse.settings import get_settings

PUBLICATION = "publication_id"
"""Column of every dataset: the publication its rows were read from. A filter on it pins the session (pinning.py)."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(_Written):
    """An aggregate of a dataset, defined once for all charts."""

    label: str
    sql: str
    format: str = ",d"


class Made(_Written):
    """A column the dataset's SQL makes."""

    label: str
    type: str = "text"


class Dataset(_Written):
    """Rows charts are drawn from: a mart as it is, or a query over marts; names are unqualified, so that each role finds
    its own schema's relations."""

    label: str
    marts: list[str] = Field(min_length=1)
    sql: str | None = None
    columns: list[str] | None = None
    """Columns taken over from the marts under their names; null = all of the first mart's."""
    made: dict[str, Made] = {}
    metrics: dict[str, Metric] = {}

    @property
    def query(self) -> str:
        """The dataset's SQL, with the publication it reads as a column."""
        rows = self.sql.strip() if self.sql else f"select * from {self.marts[0]}"
        if PUBLICATION in self._taken():
            return rows
        return (
            f"select shown.*, (select edition.publication_id from publication as edition where edition.is_read) "
            f"as {PUBLICATION}\nfrom (\n{rows}\n) as shown"
        )

    def _taken(self) -> list[str]:
        return self.columns if self.columns is not None else list(marts()[self.marts[0]].columns)

    def all_columns(self) -> dict[str, Column]:
        """Every column by name.

        Raises:
            KeyError: a column no mart of the dataset has.
        """
        known = {
            name: column for mart in reversed(self.marts) for name, column in marts()[mart].columns.items()
        }
        taken = {name: known[name] for name in self._taken()}
        made = {name: Column(name, column.label, column.type) for name, column in self.made.items()}
        return {PUBLICATION: Column(PUBLICATION, "发布批次", "bigint"), **taken, **made}


class Filter(_Written):
    """A filter of a dashboard; it reaches every chart whose dataset has the column."""

    label: str
    dataset: str
    column: str
    single: bool = False
    first: str | None = None
    """Metric by which values are ordered, highest first; the first is then chosen from the start."""
    hint: str = ""


class Chart(_Written):
    """``params`` are Superset's own words for the chart type ``viz``."""

    title: str
    dataset: str
    viz: str
    params: dict[str, Any]
    where: str | None = None
    note: str = ""
    may_be_empty: bool = False
    """Whether no rows is an answer too (nothing is overdue)."""
    ignores: list[str] = []
    """Filters that do not reach it."""


class Row(_Written):
    """Charts beside each other, with their widths in twelfths; ``height`` in Superset's units of 8 px."""

    height: int
    charts: dict[str, int]


class Dashboard(_Written):
    """One page."""

    title: str
    question: str
    order: int
    readers: list[str]
    filters: list[str]
    colors: dict[str, str] = {}
    """Colours of values that mean something (overdue is red); other values get the next of the scheme."""
    rows: list[Row]
    charts: dict[str, Chart]


class Source(_Written):
    """Everything that is written."""

    datasets: dict[str, Dataset]
    filters: dict[str, Filter]
    dashboards: dict[str, Dashboard]
    style: str
    """CSS of every page: phones, print."""


@cache
def load() -> Source:
    """The folder's content; the file name of a dashboard is its address in Superset."""
    folder = get_settings().project_dir / "dashboards"
    pages = {file.stem: Dashboard.model_validate(_read(file)) for file in sorted(folder.glob("pages/*.yaml"))}
    return Source(
        datasets=_datasets(folder / "datasets.yaml"),
        filters=_read(folder / "filters.yaml"),
        dashboards=dict(sorted(pages.items(), key=lambda page: page[1].order)),
        style=(folder / "style.css").read_text(encoding="utf-8"),
    )


def _datasets(file: Path) -> dict[str, Any]:
    """The datasets, with the words of the error codes where they ask for them."""
    written = _read(file)
    # An error code's words live beside the rules that give the codes.
    words = " ".join(f"when {code.error_code} then '{code.label}'" for code in by_number().values())
    for dataset in written["datasets"].values():
        if "sql" in dataset:
            dataset["sql"] = Template(dataset["sql"]).substitute(error_label=f"case error_code {words} end")
    return dict(written["datasets"])


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
