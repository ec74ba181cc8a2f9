"""dbt's semantic definitions read as what they say: a measure is an aggregate of an expression over a mart and a month."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

AGGREGATES = {
    "sum": "sum({0})",
    "max": "max({0})",
    "percentile": "percentile_disc({1}) within group (order by {0})",
}


class Semantics:
    """The semantic manifest of a parsed project."""

    def __init__(self, target: Path) -> None:
        manifest = json.loads((target / "semantic_manifest.json").read_text("utf-8"))
        self.metrics = {metric["name"]: metric for metric in manifest["metrics"]}
        self.measures = {
            measure["name"]: (model, measure)
            for model in manifest["semantic_models"]
            for measure in model["measures"]
        }
        self.time_spines = manifest["project_configuration"]["time_spines"]

    def parts(self, metric: str) -> tuple[str, str | None]:
        """Measures of numerator and denominator; a simple metric has only the first."""
        said = self.metrics[metric]["type_params"]
        if self.metrics[metric]["type"] == "ratio":
            return said["numerator"]["name"], said["denominator"]["name"]
        return said["measure"]["name"], None

    def by_month(self, connection: psycopg.Connection, measure: str) -> dict[date, Any]:
        """The measure over the whole city, month by month."""
        model, said = self.measures[measure]
        name = said["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
        time = next(one["expr"] or one["name"] for one in model["dimensions"] if one["name"] == name)
        percentile = (said["agg_params"] or {}).get("percentile")
        aggregate = AGGREGATES[said["agg"]].format(said["expr"], percentile)
        relation = f"{model['node_relation']['schema_name']}.{model['node_relation']['alias']}"
        rows = connection.execute(
            f"select date_trunc('month', {time})::date, {aggregate} from {relation} where {time} is not null group by 1"
        )
        return dict(rows.fetchall())
