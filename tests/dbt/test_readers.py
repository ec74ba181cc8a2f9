"""Who may read what, asked of the database of a built city: every relation × every role, and logins that try."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import errors, sql
from typer.testing import CliRunner

from credit_warehouse import publication, readers
from credit_warehouse.cli import app
from credit_warehouse.database import connect, database_url
from credit_warehouse.readers import ReaderRefused, Role
from credit_warehouse.settings import PROJECT_DIR, get_settings
from tests import databases

from .city import Row, deliver
from .dbt_process import dbt

PENALTY = "market_regulation.administrative_penalty"
DEBTOR = "court.dishonest_judgment_debtor"
NIGHT = date(2026, 3, 2)
MATRIX = yaml.safe_load(Path(__file__).with_name("reader_matrix.yml").read_text(encoding="utf-8"))
ROLES = {"L": "leader", "A": "analyst", "D": "department", "O": "officer", "U": "auditor"}


@pytest.fixture(scope="module")
def city(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A published night with a penalty of market regulation and an entry of the court's list."""
    name = databases.create(postgres_server, warehouse_template)
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("readers"))
        deliver(PENALTY, NIGHT, [Row("P1", "A", {"decision_date": NIGHT, "party_name": "甲公司"})])
        deliver(DEBTOR, NIGHT, [Row("D1", "A", {"published_on": NIGHT, "filing_date": NIGHT})])
        candidate = publication.open_candidate(NIGHT, full_refresh=True)
        assert candidate is not None
        project = PROJECT_DIR / "dbt_project"
        dbt(patch, project, candidate.publication_id, NIGHT, "seed")
        dbt(patch, project, candidate.publication_id, NIGHT, "run")
        publication.publish(candidate.publication_id, "test")
        yield name
        for login, _, _ in readers.listed():
            readers.remove(login)
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


def rows(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def session(city: str) -> Iterator[Any]:
    """Opens sessions of new logins: ``session(Role.LEADER)``."""
    opened: list[tuple[str, psycopg.Connection]] = []

    def open_as(role: Role, department: str | None = None) -> psycopg.Connection:
        login = f"reader_{uuid.uuid4().hex[:12]}"
        password = readers.add(login, role, department)
        url = psycopg.conninfo.make_conninfo(database_url(), user=login, password=password)
        opened.append((login, psycopg.connect(url, autocommit=True)))
        return opened[-1][1]

    yield open_as
    for login, connection in opened:
        connection.close()
        readers.remove(login)


def test_every_relation_is_open_to_whom_the_matrix_says_and_to_nobody_else(city: str) -> None:
    with connect() as connection:
        found = rows(
            connection,
            "select nspname, relname, role,"
            " has_schema_privilege('credit_' || role, pg_namespace.oid, 'usage')"
            "   and has_any_column_privilege('credit_' || role, pg_class.oid, 'select'),"
            " has_schema_privilege('credit_' || role, pg_namespace.oid, 'usage')"
            "   and (has_any_column_privilege('credit_' || role, pg_class.oid, 'insert, update')"
            "        or has_table_privilege('credit_' || role, pg_class.oid, 'delete, truncate'))"
            " from pg_class join pg_namespace on pg_namespace.oid = relnamespace, unnest(array["
            + ", ".join(f"'{role}'" for role in ROLES.values())
            + "]) as role where relkind in ('r', 'v', 'm', 'p', 'f') and nspname !~ '^(pg_|information_schema)'",
        )
    relations = {(schema, relation) for schema, relation, *_ in found}
    assert len(relations) > 200 and {"raw", "vault", "quarantine"} <= {schema for schema, _ in relations}
    declared = {
        (schema, relation): MATRIX.get(schema, {}).get(relation, MATRIX.get(schema, {}).get("*", ""))
        for schema, relation in relations
    }
    assert not {
        (schema, relation)
        for schema, relations_of in MATRIX.items()
        for relation in relations_of
        if relation != "*" and (schema, relation) not in relations
    }, "the matrix names what is not there"
    letters = {role: letter for letter, role in ROLES.items()}
    wrong = [
        (schema, relation, role, "reads" if reads else "does not read", "writes" if writes else "")
        for schema, relation, role, reads, writes in found
        if reads != (letters[role] in declared[schema, relation])
        or writes != (letters[role] + "i" in declared[schema, relation])
    ]
    assert wrong == []


def test_no_role_may_make_anything_or_call_what_is_not_for_it(city: str) -> None:
    with connect() as connection:
        assert (
            rows(
                connection,
                "select role, nspname from unnest(array['credit_leader', 'credit_analyst', 'credit_department',"
                " 'credit_officer', 'credit_auditor', 'credit_reader']) as role, pg_namespace"
                " where has_schema_privilege(role, oid, 'create') and nspname !~ '^pg_'",
            )
            == []
        )
        callable_by = rows(
            connection,
            "select role, nspname || '.' || proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace,"
            " unnest(array['credit_leader', 'credit_department']) as role"
            " where nspname !~ '^(pg_|information_schema)' and has_schema_privilege(role, pg_namespace.oid, 'usage')"
            " and has_function_privilege(role, pg_proc.oid, 'execute') and prorettype <> 'trigger'::regtype",
        )
    common = {
        "ops.reading_publication",
        "ops.legal_day",
        "ops.reading_since",
        "ops.reading_night",
        "ops.clean_record_years",
        "ops.note_access",
    }
    expected = {(role, name) for role in ("credit_leader", "credit_department") for name in common}
    assert set(callable_by) == expected | {("credit_department", "ops.reading_department")}


def test_a_new_relation_is_closed_until_somebody_opens_it(city: str) -> None:
    with connect() as connection:
        for schema in ("mart", "department", "ops", "raw"):
            connection.execute(sql.SQL("create table {}.new_by_accident ()").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL("create function {}.new_by_accident() returns int language sql return 1").format(
                    sql.Identifier(schema)
                )
            )
        opened = rows(
            connection,
            "select role from unnest(array['leader', 'analyst', 'department', 'officer']) as role,"
            " unnest(array['mart', 'department', 'ops', 'raw']) as schema"
            " where has_table_privilege('credit_' || role, schema || '.new_by_accident', 'select')"
            " or has_function_privilege('credit_' || role, schema || '.new_by_accident()', 'execute')",
        )
        connection.rollback()
    assert opened == []


def test_an_analyst_reads_records_and_no_identity(session: Any) -> None:
    analyst = session(Role.ANALYST)
    assert rows(analyst, "select count(*) from credit_record") == [(2,)]
    for closed in ("vault.identity", "raw.market_regulation__administrative_penalty", "quarantine.rejected_row",
                   "mart_store.queryable_credit_record", "core.credit_record", "ops.reader_department"):  # fmt: skip
        with pytest.raises(errors.InsufficientPrivilege):
            analyst.execute(f"select * from {closed}")
    with pytest.raises(errors.InsufficientPrivilege):
        analyst.execute("set role credit_etl")
    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
        analyst.execute("create table mart.mine ()")


def test_a_leader_reads_figures_and_no_record(session: Any) -> None:
    leader = session(Role.LEADER)
    assert rows(leader, "select sum(delivered_rows) from department_coverage_daily") == [(2,)]
    for closed in (
        "credit_record",
        "queryable_credit_record",
        "subject_credit_profile",
        "serious_list_entry",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            leader.execute(f"select count(*) from mart.{closed}")
    with pytest.raises(errors.InsufficientPrivilege):
        leader.execute("select * from mart.no_adverse_record(gen_random_uuid())")


def test_a_department_reads_its_own_rows_only(session: Any) -> None:
    regulator, court = (session(Role.DEPARTMENT, code) for code in ("market_regulation", "court"))
    query = "select department_code, feed from credit_record"
    assert rows(regulator, query) == [("market_regulation", PENALTY)]
    assert rows(court, query) == [("court", DEBTOR)]
    assert {code for (code,) in rows(court, "select department_code from feed")} == {"court"}
    for closed in (
        "mart.credit_record",
        "mart.department_metric_monthly",
        "mart_store.queryable_credit_record",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            court.execute(f"select * from {closed}")
    # What is for everybody is there whole.
    assert rows(court, "select count(*) from publication") == [(1,)]
    assert rows(court, "select count(*) > 20 from catalogue_item") == [(True,)]


def test_a_department_cannot_look_behind_its_view(session: Any) -> None:
    """A cheap condition of the reader's own is asked of its own rows only."""
    court = session(Role.DEPARTMENT, "court")
    court.execute("set default_transaction_read_only = off")
    court.execute(
        "create function pg_temp.tell(text) returns boolean language plpgsql cost 0.0000001"
        " as $$ begin raise notice '%', $1; return true; end $$"
    )
    told: list[str | None] = []
    court.add_notice_handler(lambda notice: told.append(notice.message_primary))
    assert rows(court, "select count(*) from credit_record where pg_temp.tell(feed)") == [(1,)]
    assert told == [DEBTOR]


def test_a_department_that_is_none_reads_nothing(session: Any) -> None:
    nobody = session(Role.DEPARTMENT, "court")
    with connect() as connection:
        connection.execute("delete from ops.reader_department where login = %s", [nobody.info.user])
    assert rows(nobody, "select count(*) from credit_record") == [(0,)]


def test_whoever_reads_reads_one_publication_and_may_pin_another(city: str, session: Any) -> None:
    with connect() as connection:
        ((current,),) = rows(connection, "select publication_id from ops.current_publication")
    for open_as in ((Role.LEADER,), (Role.ANALYST,), (Role.DEPARTMENT, "court")):
        reader = session(*open_as)
        reader.execute(f"set credit.publication = {current}")
        assert rows(reader, "select publication_id, is_current, is_read from publication") == [
            (current, True, True)
        ]
        with pytest.raises(errors.RaiseException, match="不能读取"):
            reader.execute("set credit.publication = 999999")
            rows(reader, "select count(*) from feed")


def test_an_officer_enters_and_reads_no_mart(session: Any) -> None:
    officer = session(Role.OFFICER)
    assert rows(officer, "select count(*) from record_event") == [(0,)]
    with pytest.raises(errors.InsufficientPrivilege):
        officer.execute("select * from mart.credit_record")


def test_an_auditor_reads_the_log_and_past_publications(session: Any) -> None:
    auditor = session(Role.AUDITOR)
    assert rows(auditor, "select state from ops.publication") == [("published",)]
    assert rows(auditor, "select count(*) from audit.credit_record_history") == [(2,)]
    with pytest.raises(errors.InsufficientPrivilege):
        auditor.execute("select * from vault.identity")


def test_logins_are_made_listed_given_new_passwords_and_taken_away(city: str) -> None:
    login = f"reader_{uuid.uuid4().hex[:12]}"
    first = readers.add(login, Role.DEPARTMENT, "tax")
    assert (login, Role.DEPARTMENT, "tax") in readers.listed()
    second = readers.add(login, Role.DEPARTMENT, "court")
    assert second != first and (login, Role.DEPARTMENT, "court") in readers.listed()
    url = psycopg.conninfo.make_conninfo(database_url(), user=login, password=first)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)
    with psycopg.connect(psycopg.conninfo.make_conninfo(url, password=second)) as reader:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            reader.execute("create temporary table mine ()")
        readers.remove(login)
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
    assert login not in {name for name, _, _ in readers.listed()}


@pytest.mark.parametrize(
    ("login", "role", "department", "said"),
    [
        ("somebody", Role.DEPARTMENT, None, "须写明部门"),
        ("somebody", Role.ANALYST, "tax", "不得带部门"),
        ("somebody", Role.DEPARTMENT, "税务", "没有部门 税务；可选：.*tax"),
        ("credit_etl", Role.ANALYST, None, "请换一个名称"),
    ],
)
def test_a_login_that_cannot_be_made_says_why(
    city: str, login: str, role: Role, department: str | None, said: str
) -> None:
    with pytest.raises(ReaderRefused, match=said):
        readers.add(login, role, department)


def test_nobody_is_removed_who_is_no_reader(city: str) -> None:
    with pytest.raises(ReaderRefused, match="没有读取账号 credit_etl"):
        readers.remove("credit_etl")
    login = f"reader_{uuid.uuid4().hex[:12]}"
    readers.add(login, Role.LEADER)
    with pytest.raises(ReaderRefused, match="已是领导"):
        readers.add(login, Role.ANALYST)
    readers.remove(login)


def test_the_command_line_makes_shows_and_takes_away(city: str) -> None:
    login = f"reader_{uuid.uuid4().hex[:12]}"

    def said(*words: str, ends: int = 0) -> str:
        result = CliRunner().invoke(app, ["reader", *words])
        assert result.exit_code == ends, result.output
        return result.output

    made = said("add", login, "--role", "department", "--department", "tax")
    password = made.splitlines()[-1].rpartition("：")[2]
    with psycopg.connect(
        psycopg.conninfo.make_conninfo(database_url(), user=login, password=password)
    ) as reader:
        assert rows(reader, "select count(*) from credit_record") == [(0,)], "tax delivered nothing"
    assert login in said("list") and "部门（仅本部门数据）" in said("list")
    assert "已移除" in said("remove", login)
    assert "未移除" in said("remove", login, ends=1)
    assert "未建立" in said("add", login, "--role", "department", ends=1)
