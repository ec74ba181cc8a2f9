"""Logins of the people and tools that read the warehouse, one group role each; what a role may read is said by the marts
(``macros/readers.sql``) and the migrations."""

from __future__ import annotations

import secrets
from enum import StrEnum

import psycopg
from psycopg import sql

from credit_warehouse.cities import load_city
from credit_warehouse.database import connect


class Role(StrEnum):
    """What somebody is to the warehouse; the group role is ``credit_<role>``."""

    LEADER = "leader"
    ANALYST = "analyst"
    DEPARTMENT = "department"
    OFFICER = "officer"
    AUDITOR = "auditor"


LABELS = {
    Role.LEADER: "领导（汇总数据）",
    Role.ANALYST: "分析员（集市，身份脱敏）",
    Role.DEPARTMENT: "部门（仅本部门数据）",
    Role.OFFICER: "经办人（录入变更）",
    Role.AUDITOR: "审计（日志与历史版本）",
}

# What a reader meets when the query is unqualified, wrong or forgotten. Tools ask for the same names under every role.
_SEARCH_PATHS = {
    Role.LEADER: "mart",
    Role.ANALYST: "mart",
    Role.DEPARTMENT: "department",
    Role.OFFICER: "ops",
    Role.AUDITOR: "audit, mart, ops",
}
_LIMITS = {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "10min"}


class ReaderRefused(ValueError):
    """The login cannot be made or removed; the message says why and what to do, in Chinese."""


def add(login: str, role: Role, department: str | None = None, password: str | None = None) -> str:
    """Make a login that reads as ``role``, or give one made before a new password. Returns its password.

    Raises:
        ReaderRefused: the name is taken by another kind of role, the department is missing or unknown, or a login made
            before has another role.
    """
    departments = load_city().departments
    if (role is Role.DEPARTMENT) != (department is not None):
        raise ReaderRefused("部门账号须写明部门（--department），其他账号不得带部门")
    if department is not None and department not in departments:
        raise ReaderRefused(f"没有部门 {department}；可选：{'、'.join(sorted(departments))}")
    password = password or secrets.token_urlsafe(18)
    with connect() as connection:
        known = _role_of(connection, login)
        if known is None and _exists(connection, login):
            raise ReaderRefused(f"{login} 已是数据库的其他角色，请换一个名称")
        if known is not None and known is not role:
            raise ReaderRefused(f"{login} 已是{LABELS[known]}账号，请先移除或换一个名称")
        _make(connection, login, role, password, exists=known is not None)
        connection.execute("delete from ops.reader_department where login = %s", [login])
        if department is not None:
            connection.execute("insert into ops.reader_department values (%s, %s)", [login, department])
    return password


def remove(login: str) -> None:
    """Take a login away; its open sessions end.

    Raises:
        ReaderRefused: no reader has that login.
    """
    with connect() as connection:
        if _role_of(connection, login) is None:
            raise ReaderRefused(f"没有读取账号 {login}，请用 credit-warehouse reader list 核对")
        connection.execute("delete from ops.reader_department where login = %s", [login])
        connection.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(login)))
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [login]
        )
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def listed() -> list[tuple[str, Role, str | None]]:
    """Login, role and department of every reader, by role and name."""
    with connect() as connection:
        found = connection.execute(_READERS).fetchall()
    readers = [(login, Role(role), department) for login, role, department in found]
    order = list(Role)
    return sorted(readers, key=lambda reader: (order.index(reader[1]), reader[0]))


_READERS = """
select reader.rolname, substr(held.rolname, length('credit_') + 1), member.department_code
from pg_auth_members as membership
join pg_roles as reader on reader.oid = membership.member and reader.rolcanlogin and not reader.rolcreaterole
join pg_roles as held on held.oid = membership.roleid
    and held.rolname in ('credit_leader', 'credit_analyst', 'credit_department', 'credit_officer', 'credit_auditor')
left join ops.reader_department as member on member.login = reader.rolname
"""


def take_on(connection: psycopg.Connection, role: Role) -> None:
    """Read as a login of ``role`` does, for the rest of the transaction: its rights, and the schema it meets first."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(f"credit_{role}")))
    connection.execute("select set_config('search_path', %s, true)", [_SEARCH_PATHS[role]])


def _role_of(connection: psycopg.Connection, login: str) -> Role | None:
    found = connection.execute(f"{_READERS} where reader.rolname = %s", [login]).fetchone()
    return Role(found[1]) if found else None


def _exists(connection: psycopg.Connection, login: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", [login]).fetchone() is not None


def _may_log(connection: psycopg.Connection) -> bool:
    """Whether the server lets us have readers' statements logged: who asked for what, which the reader cannot turn off."""
    found = connection.execute("select has_parameter_privilege('log_statement', 'set')").fetchone()
    return found is not None and found[0]


def _make(connection: psycopg.Connection, login: str, role: Role, password: str, *, exists: bool) -> None:
    name = sql.Identifier(login)
    # Hashed here: the statement, and so the server's log, never has the password.
    hashed = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    connection.execute(
        # Nothing but login and password: naming an attribute, even to withhold it, takes an owner who has it himself.
        sql.SQL("{} role {} login password {}").format(
            sql.SQL("alter" if exists else "create"), name, sql.Literal(hashed)
        )
    )
    connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(f"credit_{role}"), name))
    limits = dict(_LIMITS)
    if role is not Role.OFFICER:
        limits["default_transaction_read_only"] = "on"
    if role is not Role.LEADER and _may_log(connection):
        limits["log_statement"] = "all"
    for setting, value in limits.items():
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )
    connection.execute(
        sql.SQL("alter role {} set search_path = ").format(name) + sql.SQL(_SEARCH_PATHS[role])
    )
