"""The full build's own SELECTs without the warehouse around them: one script that makes the same rows, columns and indexes.

dbt's target folder has each model's SELECT as a full build runs it. Here they follow each other as CREATE TABLE AS in schema
``plain``, then come the indexes our tables have, then ANALYZE. What is left out is what the warehouse adds: dbt, the affected
sets, contracts, the candidate and its versions.
"""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg

SCHEMA = "plain"
_PLACES = {"versioned": "mart_store", "incremental": "core", "table": "core"}
_VERSION = ", 1::bigint as valid_from_publication, null::bigint as valid_to_publication"


def tables(target: Path, marts: tuple[str, ...]) -> dict[str, str]:
    """Our table of each model the marts' SELECTs read, in the order they need each other: model → schema it is in."""
    models = _models(target)
    needs: dict[str, set[str]] = {}
    waiting = list(marts)
    while waiting:
        name = waiting.pop()
        if name not in needs:
            needs[name] = {read for read in _read_by(target, models[name]) if _is_table(models, read)}
            waiting.extend(needs[name])
    return {name: _place(models[name]) for name in TopologicalSorter(needs).static_order()}


def script(connection: psycopg.Connection, target: Path, made: dict[str, str]) -> list[str]:
    """The statements. ``connection``: to a warehouse whose last full build's SELECTs are in ``target``."""
    models = _models(target)
    listed = "|".join(made)
    statements = [f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}"]
    for name, place in made.items():
        select = re.sub(
            rf'"\w+"\."(?:core|mart)"\."({listed})"', rf'"{SCHEMA}"."\1"', _sql(target, models[name])
        )
        # What the model tells the planner, the script tells it too.
        loops = "off" if "plan_for_everything" in str(models[name]["config"].get("pre-hook")) else "on"
        version = _VERSION if place == "mart_store" else ""
        statements.append(f"set local enable_nestloop = {loops}")
        statements.append(
            f"create table {SCHEMA}.{name} as select model.*{version} from (\n{select}\n) as model"
        )
        statements += [
            definition.replace(f" ON {place}.{name} ", f" ON {SCHEMA}.{name} ")
            for (definition,) in connection.execute(
                "select indexdef from pg_indexes where schemaname = %s and tablename = %s order by indexname",
                [place, name],
            )
        ]
        statements.append(f"analyze {SCHEMA}.{name}")
    return statements


def differences(connection: psycopg.Connection, made: dict[str, str]) -> dict[str, int]:
    """Rows in which our tables and the script's differ, in any column of the model."""
    found = {}
    for name, place in made.items():
        columns = ", ".join(
            column
            for (column,) in connection.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
                " and attname not in ('valid_from_publication', 'valid_to_publication') order by attnum",
                [f"{place}.{name}"],
            )
        )
        still = "where valid_to_publication is null" if place == "mart_store" else ""
        ours, plain = (
            f"(select {columns} from {place}.{name} {still})",
            f"(select {columns} from {SCHEMA}.{name})",
        )
        found[f"{name}: ours, plain script"] = differing(connection, ours, plain)
    return found


def differing(connection: psycopg.Connection, left: str, right: str) -> int:
    """Rows that only one of two queries yields, each as often as it does."""
    ((count,),) = connection.execute(
        f"select count(*) from (({left} except all {right}) union all ({right} except all {left})) as differing"
    ).fetchall()
    return int(count)


def _models(target: Path) -> dict[str, dict[str, Any]]:
    nodes = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


def _sql(target: Path, model: dict[str, Any]) -> str:
    return (target / "compiled" / model["package_name"] / model["original_file_path"]).read_text("utf-8")


def _read_by(target: Path, model: dict[str, Any]) -> set[str]:
    without_comments = re.sub(r"--.*", "", _sql(target, model))
    return {name for _, name in re.findall(r'"(core|mart)"\."(\w+)"', without_comments)}


def _is_table(models: dict[str, dict[str, Any]], name: str) -> bool:
    return name in models and models[name]["config"]["materialized"] in _PLACES


def _place(model: dict[str, Any]) -> str:
    return _PLACES[model["config"]["materialized"]]
