"""Writing one mart of one publication for one kind of reader."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg
from psycopg import sql

from credit_warehouse import access
from credit_warehouse.database import connect
from credit_warehouse.dictionary import UnknownMart, describe
from credit_warehouse.export import files, wording
from credit_warehouse.readers import LABELS, Role, take_on


class Format(StrEnum):
    """Format of the data's file."""

    CSV = "csv"
    PARQUET = "parquet"


class ExportRefused(ValueError):
    """There is nothing to export, or not for this reader; the message says why, in Chinese."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    data: Path
    dictionary: Path
    rows: int
    publication_id: int


def export(
    mart: str, kind: Format, folder: Path, publication_id: int | None = None, role: Role = Role.ANALYST
) -> Exported:
    """Write ``mart`` as ``role`` may read it; both files appear whole, or neither. Memory does not grow with the rows.

    The database decides: the session takes the role on before it reads. A department reads its own rows, and only when the
    login of the session is a department's.

    Raises:
        ExportRefused: no such mart or publication, or the role may not read it.
    """
    schema = "department" if role is Role.DEPARTMENT else "mart"
    relation = sql.Identifier(schema, mart)
    try:
        with connect(publication_id) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            take_on(connection, role)
            described = describe(connection, mart)
            reading = connection.execute(_READING).fetchone()
            if reading is None or reading[0] is None:
                raise ExportRefused("还没有任何发布，无法导出")
            if role is Role.DEPARTMENT:
                _require_department(connection)
            folder.mkdir(parents=True, exist_ok=True)
            names = [column.name for column in described.columns]
            with (
                tempfile.TemporaryDirectory(prefix=f".{mart}-", dir=folder) as draft,
                connection.cursor("export") as cursor,
            ):
                cursor.execute(
                    sql.SQL("select {} from {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, names)), relation
                    )
                )
                access.note("export", mart=mart, publication_id=reading[0], role=role)
                data = Path(draft) / f"{mart}.{kind}"
                write = files.write_csv if kind is Format.CSV else files.write_parquet
                rows = write(data, described, cursor)
                dictionary = Path(draft) / f"{mart}.dictionary.md"
                text = wording.dictionary(described, data.name, rows, role, *reading)
                dictionary.write_text(text, encoding="utf-8")
                written = [Path(shutil.move(file, folder / file.name)) for file in (data, dictionary)]
            return Exported(written[0], written[1], rows, reading[0])
    except UnknownMart as error:
        raise ExportRefused(str(error)) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise ExportRefused(f"{LABELS[role]}无权读取 {mart}：{error.diag.message_primary}") from None
    except psycopg.errors.UndefinedTable:
        raise ExportRefused(f"{LABELS[role]}没有可读取的 {mart}") from None
    except psycopg.errors.RaiseException as error:  # ops.reading_publication: not published, or archived
        raise ExportRefused(str(error.diag.message_primary)) from None


_READING = "select ops.reading_publication(), ops.reading_night()"


def _require_department(connection: psycopg.Connection) -> None:
    department = connection.execute("select ops.reading_department()").fetchone()
    if department is None or department[0] is None:
        raise ExportRefused("当前登录不属于任何部门：请以部门账号连接（CREDIT_DATABASE_URL）后导出")
