"""The Data Docs site: where it lies, how long it is kept, and which of our classes Great Expectations builds it with."""

from __future__ import annotations

import fcntl
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RESULTS = "results"
"""Folder of the results as JSON."""
PAGES = "validations"
"""Folder of the pages; the library fixes the name."""
KEPT_RUNS = 30
"""Runs kept per suite: a month of nights. The tables keep all."""


def configuration(docs_dir: Path, results_store: str) -> dict[str, Any]:
    """Site of the Data Docs: our page and index in Chinese, no suite pages (every result lists its expectations)."""
    ours = {"module_name": "credit_warehouse.quality.pages"}
    return {
        "office": {
            **ours,
            "class_name": "OfficeSite",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs_dir)},
            "site_index_builder": {**ours, "class_name": "RunIndex", "results_dir": str(docs_dir / RESULTS)},
            "site_section_builders": {
                "expectations": "none",
                "profiling": "none",
                "validations": {
                    "class_name": "DefaultSiteSectionBuilder",
                    "source_store_name": results_store,
                    "renderer": {**ours, "class_name": "FindingsRenderer"},
                    "view": {**ours, "class_name": "FindingsView"},
                },
            },
        }
    }


def page_path(identifier: Any) -> str:
    """Path of a result's page below the site."""
    return f"{PAGES}/{'/'.join(identifier.to_tuple())}.html"


@contextmanager
def lock(docs_dir: Path) -> Iterator[None]:
    """Gates of several sources end at the same time and share one index."""
    docs_dir.mkdir(parents=True, exist_ok=True)
    with (docs_dir / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prune(docs_dir: Path) -> None:
    """Remove all but the newest ``KEPT_RUNS`` runs of each suite, results and pages."""
    runs: dict[Path, set[Path]] = defaultdict(set)
    for result in (docs_dir / RESULTS).rglob("*.json"):
        run = result.parent
        runs[run.parent.parent].add(run)
    for of_suite in runs.values():
        # A run's folder is named by its time, to the microsecond.
        for run in sorted(of_suite, key=lambda folder: folder.name, reverse=True)[KEPT_RUNS:]:
            for root in (RESULTS, PAGES):
                folder = docs_dir / root / run.relative_to(docs_dir / RESULTS)
                shutil.rmtree(folder, ignore_errors=True)
                if folder.parent.is_dir() and not any(folder.parent.iterdir()):
                    folder.parent.rmdir()
