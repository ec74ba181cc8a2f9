"""Pairs of unlinked records and known subjects, scored by Splink on DuckDB.

u, how often a level occurs among pairs of different subjects, is estimated from the known subjects themselves: half of a
fixed sample is masked as a court would and compared with the other half. m, how often it occurs among true pairs, is a
stated prior: a night brings a few dozen true pairs, too few for EM to converge to anything but noise, and until enough
decisions are on file nobody knows which pairs were true.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from credit_warehouse.intake.rules import literal
from credit_warehouse.matching.comparisons import MACROS, Comparison, Model
from credit_warehouse.matching.parameters import Parameters
from credit_warehouse.settings import Settings

_SEED = 1
_LARGEST_PRIOR = 0.5


@dataclass(frozen=True)
class Pairs:
    """CSV files from the warehouse, all with a head. ``records``, ``subjects``, ``masked_sample`` and ``sample`` have the
    columns of :data:`COLUMNS`; ``frequencies`` maps a column to a file of (value, share of subjects)."""

    records: Path
    subjects: Path
    masked_sample: Path
    sample: Path
    frequencies: dict[str, Path]
    known: int
    """Known subjects of the kind, all of them."""


@dataclass(frozen=True)
class Scored:
    """``file``: CSV of (record_key, subject row, score, match weight in bits, explanation as JSON), in no order.
    ``pairs``: how many were scored. ``model``: Splink's settings with every m and u used."""

    kind: str
    file: Path
    pairs: int
    model: dict[str, Any]


COLUMNS = {
    "unique_id": "varchar",
    "name": "varchar",
    "region": "varchar",
    "birth_year": "varchar",
    "tail": "varchar",
    "visible_digits": "varchar",
    "check_digit": "varchar",
    "sex": "varchar",
    "born_since": "date",
    "born_until": "date",
    "year_since": "date",
    "year_until": "date",
    "birth_date": "date",
    "core": "varchar",
    "representative": "varchar",
    "org_code": "varchar",
}


def score(model: Model, pairs: Pairs, numbers: Parameters, folder: Path, settings: Settings) -> Scored:
    """Score every pair of ``records`` × ``subjects`` that shares a block and contradicts nowhere.

    Memory and threads are bounded as the intake's are.

    Raises:
        LookupError: a parameter is missing; the message names it.
    """
    from splink import DuckDBAPI, Linker

    connection = duckdb.connect(str(folder / f"{model.kind}.duckdb"))
    try:
        connection.execute(f"set memory_limit = '{settings.intake_memory_mb}MB'")
        connection.execute(f"set threads = {settings.intake_threads}")
        connection.execute(f"set temp_directory = {literal(str(folder / 'spill'))}")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute(MACROS)
        for name in ("records", "subjects", "masked_sample", "sample"):
            _read(connection, name, getattr(pairs, name))
        trained = _with_u(model, _settings(model, numbers, pairs.known), numbers, connection)
        # Splink keeps intermediate tables per API: with the sample's, it would score the sample.
        api = DuckDBAPI(connection)
        sides = [api.register(name, dataset_display_name=name) for name in ("records", "subjects")]
        linker = Linker(sides, trained, log_level=None)
        for column, file in pairs.frequencies.items():
            connection.execute(
                f"create table frequency_{column} as select value as {column}, share as tf_{column}"
                f" from read_csv({literal(str(file))}, header = true, columns = {{'value': 'varchar', 'share': 'double'}})"
            )
            linker.table_management.register_term_frequency_lookup(
                api.register(f"frequency_{column}"), column
            )
        predicted = linker.inference.predict(warning_mode="never").physical_name
        return _write(connection, model, predicted, trained, numbers, pairs.known, folder)
    finally:
        connection.close()


def _read(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    columns = ", ".join(f"'{column}': '{type_}'" for column, type_ in COLUMNS.items())
    connection.execute(
        f"create table {name} as select * from read_csv({literal(str(file))}, header = true, columns = {{{columns}}})"
    )


def _settings(model: Model, numbers: Parameters, known: int) -> dict[str, Any]:
    """Splink's settings before u is estimated."""
    agree = "".join(
        f" and (l.{column} is null or r.{column} is null or l.{column} = r.{column})"
        for column in model.contradictions
    )
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": min(numbers["known_share"] / max(known, 1), _LARGEST_PRIOR),
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": True,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.{column} = r.{column}{agree}", "sql_dialect": "duckdb"}
            for column in model.blocks
        ],
        "comparisons": [
            {"output_column_name": comparison.name, "comparison_levels": _levels(comparison, numbers)}
            for comparison in model.comparisons
        ],
    }


def _levels(comparison: Comparison, numbers: Parameters) -> list[dict[str, Any]]:
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": comparison.null_condition,
            "label_for_charts": "未比较",
            "is_null_level": True,
        }
    ]
    for level in comparison.levels:
        entry: dict[str, Any] = {
            "sql_condition": level.condition,
            "label_for_charts": level.label,
            "m_probability": numbers[f"m.{comparison.name}.{level.name}"],
        }
        if comparison.is_given:
            entry["u_probability"] = numbers[f"u.{comparison.name}.{level.name}"]
            entry["fix_u_probability"] = True
        if level.frequency_of:
            entry["tf_adjustment_column"] = level.frequency_of
            # The adjustment replaces this level's own u by the value's share.
            entry["disable_tf_exact_match_detection"] = True
        levels.append(entry)
    return levels


def _with_u(
    model: Model, settings: dict[str, Any], numbers: Parameters, connection: duckdb.DuckDBPyConnection
) -> dict[str, Any]:
    """The settings with u of every level: estimated, or the stated one where the sample shows none."""
    from splink import DuckDBAPI, Linker

    ((masked, known),) = connection.execute(
        "select (select count(*) from masked_sample), (select count(*) from sample)"
    ).fetchall()
    if masked + known >= numbers["least_sample"]:
        api = DuckDBAPI(connection)
        linker = Linker(
            [api.register(name, dataset_display_name=name) for name in ("masked_sample", "sample")],
            settings,
            log_level=None,
        )
        # All pairs of the sample, so that the same city gives the same weights.
        linker.training.estimate_u_using_random_sampling(
            max_pairs=masked * known, seed=_SEED, min_count_per_level=None, num_chunks=1
        )
        settings = linker.misc.save_model_to_json()
    for comparison, trained in zip(model.comparisons, settings["comparisons"], strict=True):
        for level, entry in zip(comparison.levels, trained["comparison_levels"][1:], strict=True):
            entry.setdefault("u_probability", numbers[f"u.{comparison.name}.{level.name}"])
    return settings


def _write(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    predicted: str,
    trained: dict[str, Any],
    numbers: Parameters,
    known: int,
    folder: Path,
) -> Scored:
    """The pairs above the least score, explained."""
    (swapped,) = connection.execute(
        f"select count(*) filter (where source_dataset_l <> 'records') from {predicted}"
    ).fetchone() or (0,)
    if swapped:
        raise RuntimeError(
            "Splink put a known subject on the left: the explanation would name the wrong side"
        )
    (pairs,) = connection.execute(f"select count(*) from {predicted}").fetchone() or (0,)
    file = folder / f"{model.kind}.csv"
    explanation = _explanation(model, trained, known, numbers["frequency_floor"])
    connection.execute(
        f"copy (select unique_id_l, unique_id_r, match_probability, match_weight, {explanation}"
        f" from {predicted} where match_probability >= {numbers['least_score']:f})"
        f" to {literal(str(file))} (format csv, header false)"
    )
    return Scored(model.kind, file, int(pairs), trained)


def _explanation(model: Model, trained: dict[str, Any], known: int, floor: float) -> str:
    """One object per comparison, beginning with the prior; the weights add up to the match weight."""
    odds = trained["probability_two_random_records_match"]
    prior = f"round(log2({odds!r} / (1 - {odds!r})), 2)"
    entries = [
        f"{{'item': '起始', 'level': '任取一条记录与任一已知主体相符的可能（已知主体 {known} 个）', 'weight': {prior}}}"
    ]
    for comparison in model.comparisons:
        last = len(comparison.levels) - 1
        weight = f"mw_{comparison.name}"
        if any(level.frequency_of for level in comparison.levels):
            weight += f" + mw_tf_adj_{comparison.name}"
        cases = []
        for position, level in enumerate(comparison.levels):
            label = literal(level.label)
            if level.frequency_of:
                others = f"round(tf_{level.frequency_of}_r * {known} - {floor:f})::bigint"
                label = f"{label} || '（另有 ' || {others} || ' 个已知主体与此相同）'"
            cases.append(f"when {last - position} then {label}")
        entries.append(
            f"{{'item': {literal(comparison.label)}, 'level': case gamma_{comparison.name} {' '.join(cases)}"
            f" else '未比较（一方没有，或已含在其他项中）' end, 'weight': round({weight}, 2)}}"
        )
    return f"to_json([{', '.join(entries)}])"
