"""What officers enter for the metrics: spot checks, declared production, our outages, zero reports.

A file of entries is a CSV with Chinese column heads. It is taken whole or not at all; every fault names line and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect, insert_rows


class EntriesRefused(ValueError):
    """Nothing of the file was entered; ``faults`` says in Chinese, line by line, what is wrong and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("不是日期，请按 2026-03-02 填写") from None


def _month(text: str) -> date:
    return _day(f"{text}-01") if len(text) == 7 else _day(text).replace(day=1)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("不是非负整数，请只填写数字")
    return int(text)


def _yes(text: str) -> bool:
    if text not in ("是", "否", ""):
        raise ValueError("请填写 是 或 否")
    return text == "是"


def _filled(text: str) -> str:
    if not text:
        raise ValueError("为必填项")
    return text


def _feed(text: str) -> str:
    if _filled(text) not in load_contracts():
        raise ValueError(f"没有数据接口 {text}，请用 credit-warehouse feeds 核对")
    return text


def _scope(text: str) -> str:
    contracts = load_contracts()
    if text != "*" and text not in contracts and text not in {one.source for one in contracts.values()}:
        raise ValueError("请填写 *（全部）、数据来源或数据接口")
    return text


Text = Annotated[str, AfterValidator(_filled)]
Day = Annotated[date, BeforeValidator(_day)]
Month = Annotated[date, BeforeValidator(_month)]
Count = Annotated[int, BeforeValidator(_count)]
Yes = Annotated[bool, BeforeValidator(_yes)]
Feed = Annotated[str, AfterValidator(_feed)]


class Entry(BaseModel):
    """One line of a file: fields are columns of ``table``, their aliases the heads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: ClassVar[str]

    document: Text = Field(alias="依据文书")
    is_void: Yes = Field(False, alias="作废")
    """Takes back the entry with the same key."""

    def faults(self) -> Iterator[str]:
        """What the columns say against each other."""
        return iter(())


class OfDepartment(Entry):
    """An entry about a feed, of the department the contract names."""

    department_code: Text = Field(alias="部门编码")
    feed: Feed = Field(alias="数据接口")
    source: Text = Field(alias="来源")

    def faults(self) -> Iterator[str]:
        owner = load_contracts()[self.feed].terms.department
        if owner.code != self.department_code:
            yield f"“部门编码”{self.department_code} 与数据接口不符，{self.feed} 属于 {owner.name}（{owner.code}）"


class SpotCheck(OfDepartment):
    """One decision found in the field (DOMAIN.md §5.2 瞒报率, 错报率)."""

    table = "spot_check"

    sampler: Text = Field(alias="抽查单位")
    sampled_on: Day = Field(alias="抽查日期")
    document_no: Text = Field(alias="抽查文号")
    found: Yes = Field(alias="是否已报送")
    fields_checked: Count = Field(alias="核对项数")
    fields_wrong: Count = Field(alias="不符项数")

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if self.fields_wrong > self.fields_checked:
            yield f"“不符项数”{self.fields_wrong} 大于“核对项数”{self.fields_checked}"


class DeclaredProduction(OfDepartment):
    """What a department says it decided in a month (DOMAIN.md §5.2 上报率)."""

    table = "declared_production"

    month: Month = Field(alias="月份")
    produced: Count = Field(alias="产生数")
    published_by_unit: Annotated[int | None, BeforeValidator(lambda text: _count(text) if text else None)] = (
        Field(None, alias="本单位公示数")
    )


class ZeroReport(OfDepartment):
    """A department's word that there was nothing to report."""

    table = "zero_report"

    reported_for: Day = Field(alias="所属日期")
    reported_on: Day = Field(alias="报告日期")

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if self.reported_on < self.reported_for:
            yield f"“报告日期”{self.reported_on} 早于“所属日期”{self.reported_for}"


class Outage(Entry):
    """Days on which we could take nothing."""

    table = "outage"

    scope: Annotated[str, AfterValidator(_scope)] = Field(alias="范围")
    started_on: Day = Field(alias="开始日期")
    ended_on: Day = Field(alias="结束日期")
    reason: Text = Field(alias="原因")

    def faults(self) -> Iterator[str]:
        if self.ended_on < self.started_on:
            yield f"“结束日期”{self.ended_on} 早于“开始日期”{self.started_on}"


KINDS: Mapping[str, type[Entry]] = {
    "spot-checks": SpotCheck,
    "declared-production": DeclaredProduction,
    "outages": Outage,
    "zero-reports": ZeroReport,
}
"""Name on the command line → what a line is."""


@dataclass(frozen=True)
class _Line:
    number: int
    cells: dict[str, str]


def enter(kind: str, path: Path, entered_by: str) -> int:
    """Enter every line of the file in one transaction. Returns how many.

    Raises:
        EntriesRefused: the file or one of its lines is wrong; nothing was entered.
        KeyError: no such kind.
    """
    entry = KINDS[kind]
    entries = list(_read(entry, path))
    with connect() as connection:
        insert_rows(
            connection, entry.table, [one.model_dump() | {"entered_by": entered_by} for one in entries]
        )
    return len(entries)


def _read(entry: type[Entry], path: Path) -> Iterator[Entry]:
    faults: list[str] = []
    read: list[Entry] = []
    for line in _lines(entry, path):
        try:
            one = entry.model_validate(line.cells)
        except ValidationError as error:
            faults += [f"第 {line.number} 行“{fault['loc'][0]}”：{_said(fault)}" for fault in error.errors()]
            continue
        faults += [f"第 {line.number} 行：{fault}" for fault in one.faults()]
        read.append(one)
    if faults:
        raise EntriesRefused(faults)
    yield from read


def _said(fault: Any) -> str:
    """The message of our own checks; of a column left out, that it is needed."""
    return "缺少该列的值" if fault["type"] == "missing" else str(fault["ctx"]["error"])


def _lines(entry: type[Entry], path: Path) -> list[_Line]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    heads = [head.strip() for head in next(reader, [])]
    known = {str(field.alias): field.is_required() for field in entry.model_fields.values()}
    missing = [head for head, required in known.items() if required and head not in heads]
    unknown = [head for head in heads if head not in known]
    faults = [f"第 1 行：缺少列“{head}”" for head in missing]
    faults += [f"第 1 行：不认识的列“{head}”，可用的列为 {'、'.join(known)}" for head in unknown]
    faults += [f"第 1 行：列“{head}”重复" for head in sorted({h for h in heads if heads.count(h) > 1})]
    lines = []
    try:
        for cells in reader:
            if len(cells) != len(heads) and cells:
                faults.append(f"第 {reader.line_num} 行：有 {len(cells)} 列，表头为 {len(heads)} 列")
            elif any(cell.strip() for cell in cells):
                named = dict(zip(heads, (cell.strip() for cell in cells), strict=True))
                lines.append(_Line(reader.line_num, named))
    except csv.Error as error:
        faults.append(f"第 {reader.line_num} 行：不是有效的 CSV（{error}），请检查引号")
    if not lines and not faults:
        faults.append("文件中没有数据行")
    if faults:
        raise EntriesRefused(faults)
    return lines


def _text(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EntriesRefused([f"{path.name} 既不是 UTF-8 也不是 GB18030 编码，请另存为 CSV UTF-8"])
