"""Airflow's menu: quality results, publications, dictionary and bulletins, served by its API server to who is logged in.

The pages are imported on their first request: other processes of Airflow load plugins too, and must not load our code.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/office"


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The pages, as an ASGI application."""
    from credit_warehouse.pages import app

    await app(scope, receive, send)


def _view(name: str, page: str) -> dict[str, str]:
    root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return {
        "name": name,
        "href": f"{root}{PREFIX}/{page}",
        "url_route": page.split("/")[0],
        "destination": "nav",
        "category": "信用数据 · Credit",
    }


class CreditPages(AirflowPlugin):
    """Mounts the pages and puts them into the menu."""

    name = "credit_pages"
    fastapi_apps = [{"app": pages, "url_prefix": PREFIX, "name": "信用数据"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        _view("发布与运行 · Publications", "publications"),
        _view("质量检查 · Quality", "quality/index.html"),
        _view("数据字典 · Dictionary", "dictionary/index.html"),
        _view("总览与通报 · Bulletins", "bulletins"),
    ]
