"""Pages of the Data Docs: Chinese, in one file each, readable without a network.

Great Expectations builds the site and calls these classes by the names in :func:`credit_warehouse.quality.site.configuration`.
Its own pages are English and load scripts and styles from seven hosts, which an office network does not reach.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from great_expectations.render.renderer.site_builder import SiteBuilder
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit_warehouse.quality import site
from credit_warehouse.quality.findings import Severity, State
from credit_warehouse.settings import get_settings

_ORDER = (State.ERROR, State.FAILED, State.WAIVED, State.PASSED)
_STATES = {
    "passed": "合格",
    "failed": "不合格",
    "waived": "已豁免",
    "error": "无法判定",
}
_GATES = {"intake": "入库检查", "publication": "发布检查"}

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _clock(moment: str) -> str:
    zone = ZoneInfo(get_settings().timezone)
    return datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


_templates.filters["clock"] = _clock
_templates.globals.update(states=_STATES, gates=_GATES)


def _state(finding: dict[str, Any]) -> str:
    """A warning that failed is told apart from a failure that blocks."""
    if finding["state"] == State.FAILED and finding["severity"] == Severity.WARN:
        return "warned"
    return str(finding["state"])


class FindingsRenderer:
    """A validation result → what its page shows, failures first."""

    def render(self, result: Any) -> dict[str, Any]:
        findings = [answer.meta["finding"] for answer in result.results]
        findings.sort(key=lambda finding: (_ORDER.index(State(finding["state"])), finding["severity"]))
        depth = len(result.suite_name.split(".")) + 3
        return {
            **result.meta["page"],
            "findings": [{**finding, "shown": _state(finding)} for finding in findings],
            "index": "../" * depth + "index.html",
        }


class FindingsView:
    """The page of one result as HTML."""

    def render(self, document: dict[str, Any], **_: Any) -> str:
        return _templates.get_template("findings.html.j2").render(document)


class RunIndex:
    """The front page: every kept result, newest first, read from the results beside the site."""

    def __init__(self, results_dir: str, target_store: Any, **_: Any) -> None:
        self._results_dir = Path(results_dir)
        self._target_store = target_store

    def build(self, build_index: bool = True) -> tuple[Any, None]:
        runs = [self._run(path) for path in self._results_dir.rglob("*.json")]
        runs.sort(key=lambda run: run["evaluated_at"], reverse=True)
        html = _templates.get_template("index.html.j2").render(runs=runs)
        return self._target_store.write_index_page(html), None

    def _run(self, path: Path) -> dict[str, Any]:
        result = json.loads(path.read_text(encoding="utf-8"))
        shown = [_state(answer["meta"]["finding"]) for answer in result["results"]]
        return {
            **result["meta"]["page"],
            "counts": {
                state: shown.count(state) for state in ("passed", "failed", "error", "warned", "waived")
            },
            "page": f"{site.PAGES}/{path.relative_to(self._results_dir).with_suffix('.html').as_posix()}",
        }


class OfficeSite(SiteBuilder):
    """The library's site without its four megabytes of pictures and fonts."""

    def build(self, resource_identifiers: Any = None, build_index: bool = True) -> tuple[str | None, None]:
        for section in self.site_section_builders.values():
            section.build(resource_identifiers=resource_identifiers)
        self.site_index_builder.build(build_index=build_index)
        return self.get_resource_url(only_if_exists=False), None
