"""Splitting a delivery into accepted and rejected rows, set-wise, in DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.contracts.model import FieldType, Subject
from credit_warehouse.contracts.tables import ENVELOPE
from credit_warehouse.identity import duckdb as macros
from credit_warehouse.intake import keys
from credit_warehouse.intake.cells import count_cells
from credit_warehouse.intake.error_codes import error_code
from credit_warehouse.intake.lawfulness import NO_DOCUMENT
from credit_warehouse.intake.reading import Delivered, read_delivery
from credit_warehouse.intake.rule import Rule, literal, quote
from credit_warehouse.intake.rules import (
    DUPLICATE_RULE,
    MALFORMED_RULE,
    code_column,
    compile_rules,
    facts,
    text_column,
    trimmed_column,
    value_expression,
)
from credit_warehouse.settings import Settings


@dataclass(frozen=True)
class Split:
    """The two files to COPY and what was counted on the way.

    ``accepted`` has the columns of :func:`raw_columns`, ``rejected`` those of :data:`REJECTED_COLUMNS`. ``rule_counts``: (rule, field) → rows. ``fill_rates``: field → share of delivered rows filled.
    ``cell_counts``: see :data:`credit_warehouse.intake.cells.COUNTS`.
    """

    accepted: Path
    rejected: Path
    delivered_rows: int
    accepted_rows: int
    rejected_rows: int
    declared_rows: int | None
    rule_counts: dict[tuple[str, str], int]
    fill_rates: dict[str, float]
    cell_counts: dict[str, int]
    missing_optional: list[str]
    extra: list[str]


REJECTED_COLUMNS = ("batch_id", "source_row", "feed", "record_key", "payload", "violations", "is_key_whole")


def raw_columns(contract: FeedContract) -> list[str]:
    """Columns of the accepted file, in order: the raw table's."""
    return [name for name, _ in ENVELOPE] + [field.name for field in contract.fields]


def split_delivery(
    contract: FeedContract, path: Path, batch_id: int, delivered_for: date, scratch: Path, settings: Settings
) -> Split:
    """Read, check and split one landed file. Memory is bounded by ``settings.intake_memory_mb``.

    Raises:
        DeliveryRefused: the file as a whole cannot be used.
    """
    if settings.pepper is None:
        raise RuntimeError("CREDIT_PEPPER is not set: subject keys need it")
    connection = duckdb.connect(str(scratch / "intake.duckdb"))
    try:
        connection.execute(f"set memory_limit = '{settings.intake_memory_mb}MB'")
        connection.execute(f"set threads = {settings.intake_threads}")
        connection.execute(f"set temp_directory = {literal(str(scratch / 'spill'))}")
        # A landed file is data: nothing in it may make DuckDB fetch or load anything.
        connection.execute("set autoinstall_known_extensions = false")
        macros.install(connection, settings.pepper.get_secret_value())
        connection.execute("set variable delivered_for = ?::date", [delivered_for])
        connection.execute("set variable batch_id = ?::bigint", [batch_id])
        found = read_delivery(connection, contract, path, scratch, settings)
        return _split(connection, contract, found, scratch)
    finally:
        connection.close()


def _split(
    connection: duckdb.DuckDBPyConnection, contract: FeedContract, found: Delivered, scratch: Path
) -> Split:
    rules = compile_rules(contract)
    _register_rules(connection, contract, rules)
    _check(connection, contract, rules)
    accepted, rejected = scratch / "accepted.csv", scratch / "rejected.csv"
    accepted_rows = _copy(connection, _accepted_query(contract), accepted)
    rejected_rows = _copy(connection, _rejected_query(contract), rejected)
    return Split(
        accepted=accepted,
        rejected=rejected,
        delivered_rows=found.rows,
        accepted_rows=accepted_rows,
        rejected_rows=rejected_rows,
        declared_rows=found.declared_rows,
        rule_counts=_rule_counts(connection),
        fill_rates=_fill_rates(connection, contract),
        cell_counts=count_cells(connection, contract, rules),
        missing_optional=found.missing_optional,
        extra=found.extra,
    )


def _register_rules(connection: duckdb.DuckDBPyConnection, contract: FeedContract, rules: list[Rule]) -> None:
    """The rules' texts as a table, so that messages are written set-wise too."""
    connection.execute(
        "create table rule (number int, code varchar, field varchar, label varchar, header varchar,"
        " message varchar, suggestion varchar, error_code int, breaks_key boolean)"
    )
    headers = {field.name: field.header for field in contract.fields}
    keys = "、".join(contract.field(name).label for name in contract.natural_key)
    rows = [
        (number, rule.code, rule.field, rule.label, headers.get(rule.field), rule.message, rule.suggestion)
        for number, rule in enumerate(rules, start=1)
    ]
    rows.append(
        (
            0,
            DUPLICATE_RULE,
            "",
            keys,
            None,
            f"与本批次后面的行重复（{keys}相同），以最后一行为准",
            "请删除重复行",
        )
    )
    rows.append(
        (
            -1,
            MALFORMED_RULE,
            "",
            "整行",
            None,
            "列数与表头不符或内容过长，无法识别",
            "请检查引号、逗号和长度后重新报送该行",
        )
    )
    connection.executemany(
        "insert into rule values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *row,
                error_code(contract, row[1], row[2]),
                row[1] == MALFORMED_RULE or _in_key(contract, row[2]),
            )
            for row in rows
        ],
    )


def _in_key(contract: FeedContract, field: str) -> bool:
    """Whether the record's key is made from the field, or from one of the group of that name: with such a field at fault
    the next delivery may have another key."""
    group = next((one.fields for one in contract.terms.one_of if one.name == field), (field,))
    return not set(group).isdisjoint(contract.key_fields)


def _check(connection: duckdb.DuckDBPyConnection, contract: FeedContract, rules: list[Rule]) -> None:
    """View ``checked``: every delivered row with its texts, values, keys and the numbers of the rules it breaks."""
    trimmed = ", ".join(f"{trimmed_column(field)} as r_{field.name}" for field in contract.fields)
    cleaned = ", ".join(f"{text_column(field)} as c_{field.name}" for field in contract.fields)
    texts = ", ".join(f"{code_column(contract, field)} as t_{field.name}" for field in contract.fields)
    nested = (
        "".join(f", n_{field.name}" for field in contract.fields)
        if contract.terms.delivery.format == "jsonl"
        else ""
    )
    values = ", ".join(f"{value_expression(field)} as v_{field.name}" for field in contract.fields)
    shared = ", ".join(f"{condition} as {name}" for name, condition in facts(contract).items())
    same = [field.name for field in contract.fields if field.type is FieldType.STRING]
    broken = ", ".join(f"case when {rule.condition} then {n} end" for n, rule in enumerate(rules, start=1))
    connection.execute(
        f"""
        create table judged as
        with trimmed as (select source_row, {trimmed}{nested} from delivered),
        cleaned as (select source_row, {cleaned}{nested} from trimmed),
        texts as (select source_row, {texts}{nested} from cleaned),
        typed as (select *, {values} from texts),
        facts as (select *{", " + shared if shared else ""} from typed)
        select * exclude ({", ".join(f"v_{name}" for name in same)}), {_record_key(contract)} as record_key,
            list_filter([{broken}], lambda number: number is not null) as broken
        from facts
        """
    )
    # The value of a text is the text: it need not be kept twice.
    connection.execute(
        f"create view checked as select *, {', '.join(f't_{name} as v_{name}' for name in same)} from judged"
    )
    # Among rows that are otherwise right, the last one of a natural key stands (DOMAIN.md §5.3, 20001).
    connection.execute(
        """
        create table superseded as
        select checked.source_row
        from checked
        join (
            select record_key, max(source_row) as standing_row from checked
            where len(broken) = 0 group by record_key having count(*) > 1
        ) as twice using (record_key)
        where len(broken) = 0 and checked.source_row < twice.standing_row
        """
    )


def _record_key(contract: FeedContract) -> str:
    """The same record gets the same key in every delivery, however its dates were written."""
    return _key(contract)


def _target_record_key(contract: FeedContract) -> str:
    """The record a row of changes speaks of: its key as the feed it came by makes it."""
    change = contract.terms.change
    if change is None:
        return "null"
    return _key(load_contracts()[change.target])


def _key(contract: FeedContract) -> str:
    parts = [_key_part(contract, name) for name in contract.natural_key]
    if contract.terms.subject.in_natural_key:
        parts.append(f"coalesce({', '.join(_subject_codes(contract.terms.subject))})")
    joined = ", ".join(f"coalesce({part}, '')" for part in parts)
    return f"md5(concat_ws(chr(31), {literal(contract.terms.record_as or contract.feed)}, {joined}))"


def _key_part(contract: FeedContract, name: str) -> str:
    record, instead = contract.terms.record, contract.terms.unnumbered_key
    part = f"coalesce(v_{name}::varchar, t_{name})"
    if not instead or record is None or record.document_no != name:
        return part
    unnumbered = ", ".join(literal(text) for text in NO_DOCUMENT)
    others = ", ".join(f"v_{other}::varchar" for other in instead)
    return f"case when t_{name} in ({unnumbered}) then concat_ws(chr(31), {others}) else {part} end"


def _subject_codes(subject: Subject) -> list[str]:
    """The party in the key: an organisation by its organisation code, which codes of every generation hold."""
    canonical = {
        subject.uscc: "{}[9:17]",
        subject.org_code: "replace({}, '-', '')",
        subject.tax_no: "case when length({0}) = 18 then {0}[9:17] else {0} end",
    }
    return [canonical.get(name, "{}").format(f"t_{name}") for name in subject.identifiers]


def _accepted_query(contract: FeedContract) -> str:
    withdrawal = "false"
    if contract.terms.withdrawal:
        listed = ", ".join(literal(value) for value in contract.terms.withdrawal.values)
        withdrawal = f"coalesce(t_{contract.terms.withdrawal.field} in ({listed}), false)"
    fields = ", ".join(f"v_{field.name} as {quote(field.name)}" for field in contract.fields)
    return (
        f"with named as (select *, {keys.identifier(contract)} as identifier from checked"
        " where len(broken) = 0 and source_row not in (select source_row from superseded))"
        " select getvariable('batch_id') as batch_id, source_row, record_key,"
        " subject_key(identifier.type, identifier.value) as subject_key,"
        f" {keys.subject_type('identifier')} as subject_type, identifier.type as id_type,"
        f" name_key(t_{contract.terms.subject.name}) as name_key,"
        f" {keys.alias_keys(contract, 'identifier')} as alias_keys,"
        f" {keys.responsible_keys(contract)} as responsible_keys,"
        f" {withdrawal} as is_withdrawal, {_target_record_key(contract)} as target_record_key, {fields} from named"
    )


def _rejected_query(contract: FeedContract) -> str:
    """Rejected rows whole: the payload as delivered, and one object per rule broken."""
    payload = ", ".join(f"{literal(field.header)}: {quote(field.header)}" for field in contract.fields)
    return f"""
        with broken as (
            select source_row, record_key, unnest(broken) as number from checked where len(broken) > 0
            union all
            select source_row, record_key, 0 from checked semi join superseded using (source_row)
            union all
            select source_row, null, -1 from malformed
        ),
        payload as (
            select source_row, to_json({{{payload}}}) as payload from delivered
            semi join broken using (source_row)
            union all
            select source_row, to_json({{'line': line}}) from malformed
        )
        select
            getvariable('batch_id') as batch_id,
            source_row,
            {literal(contract.feed)} as feed,
            any_value(record_key) as record_key,
            any_value(payload) as payload,
            to_json(list({{
                'rule': rule.code, 'field': rule.field, 'label': rule.label,
                'value': case when rule.header is not null then payload ->> ('/' || rule.header) end,
                'message': '第' || source_row || '行 ' || rule.message, 'suggestion': rule.suggestion,
                'error_code': rule.error_code
            }} order by rule.number)) as violations,
            not bool_or(rule.breaks_key) as is_key_whole
        from broken
        join payload using (source_row)
        join rule using (number)
        group by source_row
    """


def _copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    row = connection.execute(
        f"copy ({query}) to {literal(str(target))} (format csv, header false)"
    ).fetchone()
    return int(row[0]) if row else 0


def _rule_counts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        """
        with broken as (
            select unnest(broken) as number from checked
            union all select 0 from superseded
            union all select -1 from malformed
        )
        select rule.code, rule.field, count(*) from broken join rule using (number) group by all
        """
    ).fetchall()
    return {(code, field): count for code, field, count in rows}


def _fill_rates(connection: duckdb.DuckDBPyConnection, contract: FeedContract) -> dict[str, float]:
    columns = ", ".join(f"count(t_{field.name}) / nullif(count(*), 0)" for field in contract.fields)
    row = connection.execute(f"select {columns} from checked").fetchone() or ()
    return {
        field.name: float(value)
        for field, value in zip(contract.fields, row, strict=True)
        if value is not None
    }
