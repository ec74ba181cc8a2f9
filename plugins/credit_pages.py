"""Airflow's menu: quality results, publications, dictionary and bulletins, served by its API server to who is logged in.

The pages are imported on their first request: other processes of Airflow load plugins too, and must not load them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from credit_warehouse.office import PAGES, PREFIX, Page


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The pages, as an ASGI application."""
    from credit_warehouse.pages import app

    await app(scope, receive, send)


def _view(page: Page) -> dict[str, str]:
    root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return {
        "name": f"{page.label} · {page.english}",
        "href": f"{root}{PREFIX}/{page.path}",
        "url_route": page.path.split("/")[0],
        "destination": "nav",
        "category": "信用数据 · Credit",
    }


class CreditPages(AirflowPlugin):
    """Mounts the pages and puts them into the menu."""

    name = "credit_pages"
    fastapi_apps = [{"app": pages, "url_prefix": PREFIX, "name": "信用数据"}]  # noqa: RUF012
    external_views = [_view(page) for page in PAGES]  # noqa: RUF012
