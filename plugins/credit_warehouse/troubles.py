"""What can go wrong with our own machine and database, told apart from what a department did, and what to do about it.

Whatever it is, nothing is half done: a step that failed this way is simply run again once the cause is gone.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

import psycopg

from credit_warehouse.errors import DeliveryRefused, SourceUnavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class Trouble:
    """``code`` is stable; ``advice`` says in Chinese what is wrong and what to do, for whoever keeps the system going."""

    code: str
    advice: str


DISK_FULL = Trouble(
    "disk_full",
    "磁盘空间不足，本步骤未完成。请清理或扩容数据所在磁盘后重跑；已落地的文件和已入库的数据不受影响",
)
OUT_OF_MEMORY = Trouble(
    "out_of_memory",
    "内存不足，本步骤未完成。请减少同时运行的任务、为机器增加内存，或调整 CREDIT_INTAKE_MEMORY_MB 后重跑；"
    "已入库的数据不受影响",
)
STATEMENT_TIMEOUT = Trouble(
    "statement_timeout",
    "数据库语句超过时限被取消，本步骤未完成。请检查数据库负载和 statement_timeout 设置后重跑；已入库的数据不受影响",
)
LOCK_TIMEOUT = Trouble(
    "lock_timeout",
    "等待数据库锁超过时限（CREDIT_LOCK_TIMEOUT_SECONDS），有其他会话占用数据表，本步骤未完成。请用 credit-warehouse doctor"
    " 查看占用的会话，结束后重跑",
)
DATABASE_LOST = Trouble(
    "database_lost",
    "与数据库的连接中断，本步骤未完成。请用 credit-warehouse status 确认数据库在运行（未运行则 make up），然后重跑",
)

# What a program that only hands on a text says (dbt, DuckDB); the first that fits.
_TEXTS = (
    ("No space left on device", DISK_FULL),
    ("File too large", DISK_FULL),
    ("out of memory", OUT_OF_MEMORY),
    ("statement timeout", STATEMENT_TIMEOUT),
    ("lock timeout", LOCK_TIMEOUT),
    ("server closed the connection", DATABASE_LOST),
    ("connection already closed", DATABASE_LOST),
    ("terminating connection", DATABASE_LOST),
    ("Connection refused", DATABASE_LOST),
    ("the database system is", DATABASE_LOST),
)


def trouble_of(error: BaseException) -> Trouble | None:
    """Which trouble of ours the error comes from, if any: by what it is, or what it was raised from. What a department
    did is none, whatever its connection broke with."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, SourceUnavailable | DeliveryRefused):
        if found := getattr(seen, "trouble", None) or _trouble(seen):
            return found
        seen = seen.__cause__ or seen.__context__
    return None


def explain(error: BaseException) -> str:
    """What to tell of it: what to do where it is a trouble of ours, else what it is."""
    trouble = trouble_of(error)
    return f"{trouble.advice}（{error}）" if trouble else f"{type(error).__name__} {error}"


def advise(error: BaseException) -> None:
    """Add to the error what to do, once, where it is a trouble of ours: its traceback tells whoever opens the log."""
    trouble = trouble_of(error)
    if trouble and trouble.advice not in getattr(error, "__notes__", ()):
        error.add_note(trouble.advice)


def trouble_in(text: str) -> Trouble | None:
    """Which trouble of ours a program's output tells of, if any."""
    return next((trouble for phrase, trouble in _TEXTS if phrase in text), None)


def raise_if_ours(error: Exception) -> None:
    """Before a failure is put down to a department: raise it again if it is our machine's. The database that speaks may be
    the department's own, so what a database says is no proof."""
    if not isinstance(error, psycopg.Error) and trouble_of(error) in (DISK_FULL, OUT_OF_MEMORY):
        raise error


def _trouble(error: BaseException) -> Trouble | None:
    # By name: importing DuckDB would make every DAG file heavy.
    if type(error).__module__.split(".")[0] in ("duckdb", "_duckdb"):
        return OUT_OF_MEMORY if type(error).__name__ == "OutOfMemoryException" else trouble_in(str(error))
    if isinstance(error, MemoryError | psycopg.errors.OutOfMemory):
        return OUT_OF_MEMORY
    if isinstance(error, psycopg.errors.DiskFull) or (isinstance(error, OSError) and error.errno in _FULL):
        return DISK_FULL
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.InternalError):
        return trouble_in(str(error))
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return LOCK_TIMEOUT
    if isinstance(error, psycopg.OperationalError) and error.sqlstate in (None, "57P01", "57P02", "57P03"):
        return DATABASE_LOST
    return None
