"""The columns of a returned row, in the words of a clerk; workbook and CSV have the same."""

from __future__ import annotations

import json
from collections.abc import Iterator

from credit_warehouse.contracts import FeedContract, Field, load_contracts
from credit_warehouse.feedback.content import Count, Heading, Returned
from credit_warehouse.intake.error_codes import by_number

ERROR_COLUMNS = ("批次", "报送日期", "行号", "错误码", "数据项", "规则", "问题", "报送值", "处理建议")
COUNT_COLUMNS = ("数据集", "错误码", "规则", "数据项", "行数", "处理建议")
LINE = "整行原文"
"""Column for a line that could not be told apart into fields."""


def errors(row: Returned) -> Iterator[tuple[object, ...]]:
    """One line per error, in the order of :data:`ERROR_COLUMNS`."""
    for violation in row.violations:
        yield (
            row.batch_id,
            row.delivered_for,
            row.source_row or "整批",
            violation["error_code"],
            violation["label"],
            by_number()[violation["error_code"]].label,
            violation["message"],
            violation["value"],
            violation["suggestion"],
        )


def row_columns(feed: str) -> list[str]:
    """Headings of the whole row as delivered: label, and the sender's own name where it differs."""
    return [*(_titled(field) for field in _contract(feed).fields), LINE]


def row_values(row: Returned) -> list[object]:
    """The whole row as delivered, in the order of :func:`row_columns`."""
    fields = _contract(row.feed).fields
    return [*(row.payload.get(field.header) for field in fields), row.payload.get("line")]


def whole_row(row: Returned) -> str:
    """The whole row as delivered in one cell, in the order of its columns."""
    pairs = zip(row_columns(row.feed), row_values(row), strict=True)
    return json.dumps({name: value for name, value in pairs if value is not None}, ensure_ascii=False)


def count_values(count: Count) -> tuple[object, ...]:
    """In the order of :data:`COUNT_COLUMNS`."""
    return (
        count.feed_label,
        count.error_code,
        by_number()[count.error_code].label,
        count.label,
        count.rows,
        count.suggestion,
    )


def notes(heading: Heading) -> list[tuple[object, object]]:
    """What the package is and what to do with it, line by line."""
    return [
        ("名称", "公共信用信息数据质量反馈单"),
        ("反馈单号", heading.package_no),
        ("接收部门", heading.department_name),
        ("业务日期", heading.business_date),
        ("本日第几份", heading.number),
        ("退回行数", heading.rows),
        ("问题数", heading.errors),
        ("整批退回的批次数", heading.refused_batches),
        (
            "如何处理",
            "请按“处理建议”更正后，随下一次报送重新报送这些行；同一主键的数据接收后，本单自动办结。",
        ),
        ("无需更正的", "请书面说明理由，由信用办登记为“已忽略”。主键字段有误的行，更正后由信用办核对办结。"),
        ("同一行多个问题", "每个问题占一行，“整行”各列相同。"),
        (
            "文字前的 ' 号",
            "以 = + - @ 等符号开头的内容前加了一个 ' 号，防止被表格软件当作公式；原文见 JSON 文件。",
        ),
        ("保密", "本单含报送原文，可能有个人信息，仅供报送部门更正使用，不得转发。"),
    ]


def _titled(field: Field) -> str:
    label, header = field.label, field.header
    return label if label == header else f"{label}（{header}）"


def _contract(feed: str) -> FeedContract:
    return load_contracts()[feed]
