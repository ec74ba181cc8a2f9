"""The dictionary of a mart in words, Chinese and English."""

from __future__ import annotations

from datetime import date

from credit_warehouse.dictionary import Mart
from credit_warehouse.readers import LABELS, Role


def dictionary(mart: Mart, data: str, rows: int, role: Role, publication_id: int, night: date) -> str:
    """Markdown: what the file is of, what a row is, who may read it, and every column."""
    columns = "\n".join(
        f"| {column.name} | {column.label} | {_cell(column.meaning)} | {column.type} |"
        for column in mart.columns
    )
    return f"""# {mart.label} · {mart.name}

{mart.grain}

| | |
|---|---|
| 文件 file | {data} |
| 行数 rows | {rows:,} |
| 发布批次 publication | {publication_id} |
| 业务日期 business date | {night} |
| 导出身份 read as | {LABELS[role]} · {role} |
| 可读角色 readers | {"、".join(f"{LABELS[reader]} {reader}" for reader in mart.readers)} |

| 字段 column | 中文 label | 含义 meaning | 类型 type |
|---|---|---|---|
{columns}

CSV 中以单引号（'）开头的文本，引号是导出时所加，以免被电子表格当作公式；空单元格表示无值；多值以“；”分隔。
In the CSV, a leading ' was added by the export, so that no spreadsheet calculates the text; an empty cell is null; several
values are separated by ；.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
