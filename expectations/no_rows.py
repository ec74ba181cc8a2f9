"""The one kind of expectation the library lacks: a truth across tables, as a query that must find nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import great_expectations.expectations as gxe
from great_expectations.compatibility import pydantic
from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.core.result_format import ResultFormat
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.query_metrics.query_table.unexpected_rows_query_table import (
    UnexpectedRowsQueryTable,
)
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from credit_warehouse.quality.findings import EXAMPLES_KEPT

_COUNT = "unexpected_rows_query.row_count"
_EXAMPLES = "no_rows.examples"


class NoRowsExamples(UnexpectedRowsQueryTable):
    """A few of the rows; the library's own metric fetches every one to keep two hundred."""

    metric_name = _EXAMPLES

    @classmethod
    def _get_sqlalchemy_records_from_substituted_batch_subquery(
        cls,
        substituted_batch_subquery: str,
        execution_engine: SqlAlchemyExecutionEngine,
        fetch_all: bool = False,
    ) -> list[dict[str, Any]]:
        query = f"select * from ({substituted_batch_subquery}) as violation limit {EXAMPLES_KEPT}"
        return [dict(row._mapping) for row in execution_engine.execute_query(sa.text(query))]


class ExpectNoRows(gxe.UnexpectedRowsExpectation):
    """Holds when ``unexpected_rows_query`` finds no row. The query selects keys only: its rows are shown to people.

    With ``BOOLEAN_ONLY`` it counts, once; examples are fetched only for ``COMPLETE``. In the query a literal brace is
    doubled (the library formats it) and ``(?:`` is a parameter to SQLAlchemy: write a plain group.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (_COUNT,)

    @pydantic.validator("unexpected_rows_query")
    def _validate_query(cls, query: str) -> str:
        # Replaces the library's check, which wants one batch table in every query; ours speak of several.
        return query.strip()

    def get_validation_dependencies(
        self, execution_engine: Any = None, runtime_configuration: dict[str, Any] | None = None
    ) -> ValidationDependencies:
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        if dependencies.result_format["result_format"] == ResultFormat.COMPLETE:
            counted = dependencies.metric_configurations[_COUNT]
            dependencies.set_metric_configuration(
                _EXAMPLES,
                MetricConfiguration(_EXAMPLES, counted.metric_domain_kwargs, counted.metric_value_kwargs),
            )
        return dependencies

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        failing = metrics[_COUNT]
        details = {"examples": metrics[_EXAMPLES]} if _EXAMPLES in metrics else {}
        return {"success": failing == 0, "result": {"observed_value": failing, "details": details}}
