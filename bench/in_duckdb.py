"""The essential marts' script in DuckDB, from the delivered files: what a city costs without a warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg

from bench import build_marts, harness
from bench.city import night_date, open_duckdb
from bench.cost import Cost
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import FieldType
from credit_warehouse.intake import keys, split
from credit_warehouse.intake.rule import literal, quote
from credit_warehouse.intake.rules import facts
from credit_warehouse.settings import get_settings
from credit_warehouse.transform.generate import _delivery_columns

DAY = night_date(0)
_REFERENCES = {
    "feed": "core.feed",
    "catalogue_item": "core.catalogue_item",
    "legal_basis": "ops.legal_basis",
    "display_rule": "ops.display_rule",
    "working_day": "core.working_day",
}
_TYPES = {
    "date": "DATE",
    "integer": "BIGINT",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp without time zone": "TIMESTAMP",
}


def rebuild(files: dict[str, Path], references: Path, result: Path) -> Cost:
    """The script once, in this process; its CPU time is the process's."""
    run = harness.timed(lambda: _run(files, references, result))
    return Cost(run.seconds, run.cpu_seconds)


def _run(files: dict[str, Path], references: Path, result: Path) -> None:
    """The marts go to Parquet as a reader would take them."""
    pepper = get_settings().pepper
    assert pepper is not None
    with open_duckdb(pepper.get_secret_value(), memory_mb=4096) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set variable delivered_for = ?::date", [DAY])
        for name in _REFERENCES:
            connection.execute(
                f"create view {name} as select * from {literal(str(references / f'{name}.parquet'))}"
            )
        branches = []
        for feed, path in files.items():
            contract = load_contracts()[feed]
            if contract.terms.record:
                branches.append(_delivery(contract, path))
            elif contract.terms.change:
                connection.execute(f"create view repaired as {_repaired(contract, path)}")
        connection.execute(f"create view credit_record_delivery as {' union all '.join(branches)}")
        for statement in build_marts.script(DAY, build_marts.duckdb_months):
            if "index" not in statement[:25]:
                connection.execute(statement)
        for mart in ("hand_record", "hand_profile"):
            connection.execute(f"copy {mart} to {literal(str(result / f'{mart}.parquet'))} (format parquet)")


def _typed(contract: FeedContract, path: Path) -> str:
    """The file's columns by field name, typed by DuckDB's reader; as the intake's keys call them, too."""
    types = {
        FieldType.DATE: "DATE",
        FieldType.TIMESTAMP: "TIMESTAMP",
        FieldType.INTEGER: "BIGINT",
        FieldType.NUMBER: "DECIMAL(24, 6)",
    }
    columns = ", ".join(
        f"{literal(field.header)}: '{types.get(field.type, 'VARCHAR')}'" for field in contract.fields
    )
    values = []
    for field in contract.fields:
        value = quote(field.header)
        if field.type is FieldType.NUMBER:
            factor = " * 10000" if field.terms.delivered_unit == "CNY_10K" else ""
            value = f"round({value}{factor}, 2)::decimal(20, 2)"
        if field.terms.meanings:
            value = (
                f"case {value} "
                + " ".join(
                    f"when {literal(code)} then {literal(term)}"
                    for code, term in field.terms.meanings.items()
                )
                + " end"
            )
        values.append(
            f"{value} as {quote(field.name)}, {quote(field.header)}::varchar as t_{field.name}, {quote(field.header)} as v_{field.name}"
        )
    read = f"read_csv({literal(str(path))}, header = true, auto_detect = false, columns = {{{columns}}})"
    known = "".join(f", {condition} as {name}" for name, condition in facts(contract).items())
    return f"select *{known} from (select {', '.join(values)} from {read})"


def _delivery(contract: FeedContract, path: Path) -> str:
    return f"""
        select {", ".join(_delivery_columns(contract))} from (
            select *, 0 as batch_id, 0 as source_row, {split._record_key(contract)}::uuid as record_key,
                subject_key(identifier.type, identifier.value)::uuid as subject_key, identifier.type as id_type,
                {keys.subject_type("identifier")} as subject_type, null::uuid as name_key, false as is_withdrawal,
                date '{DAY}' as business_date, date '{DAY}' as delivered_for
            from (select *, {keys.identifier(contract)} as identifier from ({_typed(contract, path)}))
        )
    """


def _repaired(contract: FeedContract, path: Path) -> str:
    change = contract.terms.change
    assert change is not None
    repairs = [code for code, kind in contract.field(change.kind).terms.meanings.items() if kind == "repair"]
    listed = ", ".join(map(literal, repairs))
    return (
        f"select distinct {split._target_record_key(contract)}::uuid as record_key from ({_typed(contract, path)})"
        f" where t_{change.kind} in ({listed})"
    )


def export_references(url: str, folder: Path) -> None:
    """The small tables of terms and days, for DuckDB."""
    folder.mkdir()
    with psycopg.connect(url) as connection, duckdb.connect() as target:
        for name, source in _REFERENCES.items():
            text = folder / f"{name}.csv"
            with connection.cursor().copy(
                f"copy (select * from {source}) to stdout (format csv, header)"
            ) as copy:
                text.write_bytes(b"".join(bytes(block) for block in copy))
            typed = ", ".join(
                f"{literal(column)}: '{_TYPES.get(type_, 'VARCHAR')}'"
                for column, type_ in connection.execute(
                    "select attname, format_type(atttypid, null) from pg_attribute"
                    " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
                    [source],
                )
            )
            target.execute(
                f"copy (select * from read_csv({literal(str(text))}, header = true, auto_detect = false,"
                f" columns = {{{typed}}})) to {literal(str(folder / f'{name}.parquet'))} (format parquet)"
            )
