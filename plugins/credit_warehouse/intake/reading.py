"""A landed delivery as one DuckDB table of text, whatever its format.

Memory stays bounded: every step streams through files in a scratch folder or spills there.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from credit_warehouse.contracts import FeedContract
from credit_warehouse.errors import DeliveryRefused
from credit_warehouse.intake import archive
from credit_warehouse.intake.rule import literal, quote
from credit_warehouse.intake.workbook import workbook_to_csv
from credit_warehouse.settings import Settings

_CHUNK = 1 << 22
_MAX_LINE = 1 << 20
"""Bytes of one row. DuckDB's read buffers are sixteen times this, for every thread."""
_MAX_ITEM = 1 << 18
"""Bytes of one JSON item that is still taken for a record."""


@dataclass(frozen=True)
class Delivered:
    """What reading found. The rows are in table ``delivered``: ``source_row`` (1 = first data row), one text column
    per contract header (null where the column was not sent), for JSON also ``n_<field>`` = a nested value was sent.
    Lines that are no rows are in table ``malformed``: ``source_row``, ``line``.
    """

    rows: int
    declared_rows: int | None
    missing_optional: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


def read_delivery(
    connection: duckdb.DuckDBPyConnection,
    contract: FeedContract,
    path: Path,
    scratch: Path,
    settings: Settings,
) -> Delivered:
    """Fill tables ``delivered`` and ``malformed`` from a landed file.

    Raises:
        DeliveryRefused: the file as a whole cannot be used (archive, receipt, encoding, header, row count).
    """
    connection.execute("create table malformed (source_row bigint, line varchar)")
    terms = contract.terms.delivery
    if terms.format == "jsonl":
        return _read_json(connection, contract, path)
    declared: int | None = None
    payload = path
    if terms.container == "zip":
        payload = scratch / "payload.csv"
        declared = archive.extract_csv(path, contract.feed, payload, settings.max_unpacked_mb << 20)
    elif terms.receipt == "sha256":
        archive.check_sidecar(path)
    if terms.format == "xlsx":
        workbook_to_csv(payload, scratch / "sheet.csv", settings.max_workbook_mb << 20)
        text = scratch / "sheet.csv"
    else:
        text = scratch / "text.csv"
        _to_utf8(payload, text, terms.encoding, contract, declared)
    header = _csv_header(text)
    present, missing_optional, extra = _match_header(contract, header, payload, declared)
    _read_csv(connection, text, header, scratch)
    _select_contract_columns(connection, contract, present)
    rows = _count(connection, "delivered") + _count(connection, "malformed")
    if declared is not None and declared != rows:
        raise DeliveryRefused(
            "row_count", f"清单写明 {declared} 行，文件实际 {rows} 行，请核对后重新生成文件和清单", rows
        )
    return Delivered(rows, declared, missing_optional, extra)


def _to_utf8(source: Path, target: Path, encoding: str, contract: FeedContract, declared: int | None) -> None:
    """Re-encode strictly. A byte-order mark and NULs are dropped by nobody silently: NUL means a wrong encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    written = 0
    try:
        with source.open("rb") as raw, target.open("w", encoding="utf-8", newline="") as out:
            while chunk := raw.read(_CHUNK):
                written += out.write(decoder.decode(chunk))
            written += out.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError as error:
        raise _wrong_encoding(contract, declared) from error
    if not written:
        raise DeliveryRefused(
            "empty_file", "文件为空（0 字节）；当日无数据时请报送只含表头的零报告", declared or 0
        )


def _wrong_encoding(contract: FeedContract, declared: int | None) -> DeliveryRefused:
    expected = contract.terms.delivery.encoding.upper()
    return DeliveryRefused(
        "encoding", f"文件编码不是约定的 {expected}，文字无法识别，请按 {expected} 编码重新导出", declared
    )


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = next(csv.reader(io.StringIO(file.readline(_MAX_LINE))), [])
        except csv.Error:
            first = []
    return [name.strip() for name in first]


def _match_header(
    contract: FeedContract, header: list[str], payload: Path, declared: int | None
) -> tuple[list[str], list[str], list[str]]:
    """Headers present, optional ones missing, unknown ones. Order never matters."""
    known = {field.header: field for field in contract.fields}
    if len(set(header)) != len(header) or "" in header:
        raise DeliveryRefused("bad_header", "表头有空白或重复的列名，请使用约定模板", declared)
    present = [name for name in header if name in known]
    extra = [name for name in header if name not in known]
    missing = [field for field in contract.fields if field.header not in header]
    if not present and _other_encoding_fits(contract, payload):
        raise _wrong_encoding(contract, declared)
    if not present:
        raise DeliveryRefused(
            "bad_header",
            "第一行不是约定的表头（是否多了标题行或合并了单元格？），请使用约定模板：第一行每列一个列名",
            declared,
        )
    gone = [field.header for field in missing if field.required]
    if gone:
        hint = f"；另有未约定的列：{'、'.join(extra)}（是否改了列名？）" if extra else ""
        raise DeliveryRefused(
            "missing_column", f"缺少必需的列：{'、'.join(gone)}{hint}。请使用约定模板的列名重新报送", declared
        )
    return present, [field.header for field in missing], extra


def _other_encoding_fits(contract: FeedContract, payload: Path) -> bool:
    """Whether the first line makes sense in another usual encoding: then the encoding is wrong, not the header."""
    with payload.open("rb") as file:
        start = file.read(1 << 16)
    known = {field.header for field in contract.fields}
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        line = start.decode(encoding, errors="replace").splitlines()[:1]
        if line and known & {name.strip().strip('"') for name in line[0].split(",")}:
            return True
    return False


def _read_csv(connection: duckdb.DuckDBPyConnection, path: Path, header: list[str], scratch: Path) -> None:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    options = "header=true, auto_detect=false, delim=',', quote='\"', escape='\"', strict_mode=true"
    try:
        connection.execute(
            "create table csv_rows as select row_number() over () as source_row, * from read_csv("
            f"{literal(str(path))}, columns={{{columns}}}, {options}, max_line_size={_MAX_LINE})"
        )
    except (duckdb.InvalidInputException, UnicodeDecodeError):
        # (DuckDB may cut a Chinese character of the line it complains about.) Some line is no row. The slow reader keeps such lines apart, so that the others are not lost with them.
        clean = scratch / "clean.csv"
        _keep_malformed_apart(connection, path, clean, len(header))
        connection.execute(
            f"create table csv_rows as select * from read_csv({literal(str(clean))},"
            f" columns={{'source_row': 'BIGINT', {columns}}}, {options}, max_line_size={_MAX_LINE})"
        )


def _keep_malformed_apart(connection: duckdb.DuckDBPyConnection, path: Path, clean: Path, width: int) -> None:
    csv.field_size_limit(_MAX_LINE)
    with (
        path.open(encoding="utf-8-sig", newline="") as file,
        clean.open("w", encoding="utf-8", newline="") as out,
    ):
        reader, writer = csv.reader(file), csv.writer(out)
        writer.writerow(["source_row", *next(reader)])
        number = 0
        try:
            for row in reader:
                if not row:
                    continue
                number += 1
                # Four bytes is the most a character takes.
                if len(row) == width and 4 * sum(map(len, row)) < _MAX_LINE:
                    writer.writerow([number, *row])
                else:
                    connection.execute("insert into malformed values (?, ?)", [number, ",".join(row)])
        except csv.Error as error:
            raise DeliveryRefused(
                "broken_csv",
                f"第 {number + 1} 行起无法识别（引号可能不成对），请检查该行后重新导出",
            ) from error


def _select_contract_columns(
    connection: duckdb.DuckDBPyConnection, contract: FeedContract, present: list[str]
) -> None:
    columns = ", ".join(
        quote(field.header) if field.header in present else f"null::varchar as {quote(field.header)}"
        for field in contract.fields
    )
    connection.execute(f"create view delivered as select source_row, {columns} from csv_rows")


def _read_json(connection: duckdb.DuckDBPyConnection, contract: FeedContract, path: Path) -> Delivered:
    try:
        connection.execute(
            "create table documents as select row_number() over () as source_row, json as document"
            f" from read_ndjson_objects({literal(str(path))}, maximum_object_size={_MAX_LINE})"
        )
    except duckdb.InvalidInputException as error:
        raise DeliveryRefused(
            "broken_json", "接口返回的某条数据过大或不是有效 JSON，请检查后重新提供"
        ) from error
    # Set apart before anything is computed from them: one monstrous item must not cost the memory of the rest.
    connection.execute(
        f"insert into malformed select source_row, document[:1000] from documents where strlen(document) > {_MAX_ITEM}"
    )
    connection.execute(f"delete from documents where strlen(document) > {_MAX_ITEM}")
    rows = _count(connection, "documents")
    keys = {
        row[0]
        for row in connection.execute("select distinct unnest(json_keys(document)) from documents").fetchall()
    }
    missing = [field for field in contract.fields if field.header not in keys] if rows else []
    gone = [field.header for field in missing if field.required]
    extra = sorted(keys - {field.header for field in contract.fields})
    if gone:
        hint = f"；另有未约定的字段：{'、'.join(extra)}" if extra else ""
        raise DeliveryRefused(
            "missing_column", f"接口返回缺少必需字段：{'、'.join(gone)}{hint}。请恢复约定的接口格式", rows
        )
    # All fields in one go: every call parses the whole document.
    paths = ", ".join(literal(_pointer(field.header)) for field in contract.fields)
    columns = ", ".join(
        f"texts[{n}] as {quote(field.header)},"
        f" coalesce(types[{n}] in ('OBJECT', 'ARRAY'), false) as {quote('n_' + field.name)}"
        for n, field in enumerate(contract.fields, start=1)
    )
    connection.execute(
        f"create table delivered as select source_row, {columns} from (select source_row,"
        f" json_extract_string(document, [{paths}]) as texts, json_type(document, [{paths}]) as types from documents)"
    )
    return Delivered(rows + _count(connection, "malformed"), None, [field.header for field in missing], extra)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
