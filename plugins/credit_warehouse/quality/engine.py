"""The only place that drives Great Expectations: a context in memory, one batch at a time, results to Data Docs.

Import inside functions: the library takes seconds to load. No Checkpoint: it would store every batch before the
waivers are known, and hands one frame to all batches.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
    RunIdentifier,
)
from great_expectations.data_context import AbstractDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.datasource.fluent import PostgresDatasource
from great_expectations.datasource.fluent.interfaces import Batch

from credit_warehouse.quality import site
from credit_warehouse.quality.findings import Finding

_log = logging.getLogger(__name__)


def open_context(docs_dir: Path) -> AbstractDataContext:
    """A context that lives as long as the gate: only results and their pages go to disk."""
    defaults = InMemoryStoreBackendDefaults()
    defaults.stores[defaults.validation_results_store_name]["store_backend"] = {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": str(docs_dir / site.RESULTS),
        "filepath_suffix": ".json",
    }
    config = DataContextConfig(
        store_backend_defaults=defaults,
        data_docs_sites=site.configuration(docs_dir, defaults.validation_results_store_name),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def frame_batch(context: AbstractDataContext, name: str, frame: pd.DataFrame) -> Batch:
    """``frame`` as a batch called ``name``."""
    source = context.data_sources.add_or_update_pandas("profile")
    definition = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
    return definition.get_batch({"dataframe": frame})


@contextmanager
def postgres(context: AbstractDataContext, url: str, publication_id: int) -> Iterator[PostgresDatasource]:
    """The warehouse as every connection of this source reads it: pinned to ``publication_id``."""
    # The library's type stub leaves `kwargs` out.
    sources: Any = context.data_sources
    source = sources.add_postgres(
        "candidate",
        # A dollar sign would be taken for a variable of the library's configuration.
        connection_string=url.replace("$", "%24"),
        kwargs={
            "connect_args": {"options": f"-c credit.publication={publication_id:d} -c search_path=mart,ops"}
        },
    )
    try:
        yield source
    finally:
        source.get_engine().dispose()


def table_batch(source: PostgresDatasource, table: str) -> Batch:
    """A whole mart, or table of the ledger, as a batch."""
    asset = source.add_table_asset(table, table_name=table)
    return asset.add_batch_definition_whole_table("whole").get_batch()


def judge(batch: Batch, suite: gx.ExpectationSuite) -> ExpectationSuiteValidationResult:
    """Judge one batch. An expectation that cannot be evaluated is a result with ``exception_info``, no exception."""
    return batch.validate(suite, result_format="BOOLEAN_ONLY")


def detail(batch: Batch, expectation: gxe.Expectation) -> ExpectationValidationResult:
    """Judge one expectation again, with a few examples of what broke it."""
    return batch.validate(expectation, result_format="COMPLETE")


def combined(
    suite_name: str, answers: Sequence[ExpectationValidationResult]
) -> ExpectationSuiteValidationResult:
    """Answers about several tables as one result: one gate, one page."""
    return ExpectationSuiteValidationResult(
        success=all(answer.success for answer in answers), results=list(answers), suite_name=suite_name
    )


class Documented:
    """Results of one gate run on their way to Data Docs: one page per batch or publication."""

    def __init__(self, context: AbstractDataContext, docs_dir: Path, run_name: str) -> None:
        self._context = context
        self._docs_dir = docs_dir
        self._run = RunIdentifier(run_name=run_name, run_time=datetime.now(UTC))
        self._pages: list[tuple[ValidationResultIdentifier, ExpectationSuiteValidationResult]] = []

    def path(self, suite_name: str, batch_name: str) -> str:
        """Where the page will be, relative to the site."""
        return site.page_path(self._identifier(suite_name, batch_name))

    def add(
        self,
        result: ExpectationSuiteValidationResult,
        batch_name: str,
        findings: tuple[Finding, ...],
        page: Mapping[str, Any],
    ) -> None:
        """Keep one result with its findings. Of what the library notes about the batch only the version stays."""
        for answer, finding in zip(result.results, findings, strict=True):
            answer.meta = {"finding": asdict(finding)}
        result.meta = {
            "great_expectations_version": gx.__version__,
            "run_id": self._run,
            "page": {**page, "evaluated_at": self._run.run_time.isoformat()},
        }
        self._pages.append((self._identifier(result.suite_name, batch_name), result))

    def publish(self) -> Path:
        """Write the pages and the index, and prune what is older than the site keeps. Returns the index."""
        store = self._context.validation_results_store
        with site.lock(self._docs_dir):
            for identifier, result in self._pages:
                store.set(identifier, result)
            site.prune(self._docs_dir)
            self._context.build_data_docs(resource_identifiers=[identifier for identifier, _ in self._pages])
        index = self._docs_dir / "index.html"
        _log.info("检查结果：%s", index.as_uri())
        return index

    def _identifier(self, suite_name: str, batch_name: str) -> ValidationResultIdentifier:
        return ValidationResultIdentifier(
            expectation_suite_identifier=ExpectationSuiteIdentifier(suite_name),
            run_id=self._run,
            batch_identifier=batch_name,
        )
