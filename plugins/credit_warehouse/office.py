"""The pages beside Airflow's own, which its menu and the dashboards link to. No import but the standard library's."""

from __future__ import annotations

from typing import NamedTuple

PREFIX = "/office"
"""Path of the pages below Airflow's address."""


class Page(NamedTuple):
    """One page; ``path`` is below :data:`PREFIX`."""

    label: str
    english: str
    path: str


PAGES = (
    Page("发布与运行", "Publications", "publications"),
    Page("质量检查", "Quality", "quality/index.html"),
    Page("数据字典", "Dictionary", "dictionary/index.html"),
    Page("总览与通报", "Bulletins", "bulletins"),
)
