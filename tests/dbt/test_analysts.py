"""What analysts use, on a city of two nights: the gallery's answers, exports, the dictionary in the database."""

from __future__ import annotations

import csv
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql
from typer.testing import CliRunner

from credit_warehouse import publication, readers
from credit_warehouse.cli import app
from credit_warehouse.database import connect, database_url
from credit_warehouse.dictionary import UnknownMart, describe
from credit_warehouse.export import ExportRefused, Format, export
from credit_warehouse.gallery import load_queries, run
from credit_warehouse.readers import Role
from credit_warehouse.settings import PROJECT_DIR, get_settings
from notebooks import cells
from tests import databases

from .city import Row, deliver, key_of
from .dbt_process import dbt

PENALTY = "market_regulation.administrative_penalty"
REGISTER = "market_regulation.enterprise_registration"
VIOLATION = "tax.major_tax_violation"
FIRST = date(2026, 3, 2)
SECOND = FIRST + timedelta(days=7)
FOREVER = date(2099, 12, 31)
QUERIES = load_queries()
OF_RECORDS = {"credit_record", "feedback_item", "serious_list_entry", "no_adverse_record()"}
"""Marts that a leader may not read."""


@dataclass(frozen=True)
class City:
    """Numbers of the two publications."""

    before: int
    now: int


def _penalty(name: str, subject: str, decided: date) -> Row:
    values = {
        "decision_date": decided,
        "valid_until": FOREVER,
        "document_no": f"@{name}",
        "party_name": f"{subject}公司",
    }
    return Row(name, subject, values)


def _publish(patch: pytest.MonkeyPatch, night: date) -> int:
    candidate = publication.open_candidate(night, full_refresh=True)
    assert candidate is not None
    project = PROJECT_DIR / "dbt_project"
    dbt(patch, project, candidate.publication_id, night, "seed")
    dbt(patch, project, candidate.publication_id, night, "run")
    publication.publish(candidate.publication_id, "test")
    return candidate.publication_id


def _reject(batch: int) -> None:
    with connect() as connection:
        connection.execute(
            "insert into quarantine.rejected_row (batch_id, source_row, feed, record_key, payload, violations, is_key_whole)"
            """ values (%s, 900, %s, %s, '{}', '[{"rule": "enum", "field": "status", "value": "x", "message": "y"}]', true)""",
            [batch, PENALTY, key_of(PENALTY, "R1")],
        )


@pytest.fixture(scope="module")
def city(
    postgres_server: str, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    """Penalties of three years, so that some leave display every month; in the second night one on time, one late."""
    name = databases.create(postgres_server, warehouse_template)
    with pytest.MonkeyPatch.context() as patch:
        databases.use(patch, postgres_server, name, tmp_path_factory.mktemp("analysts"))
        old = [_penalty(f"P{n}", f"U{n % 9}", FIRST - timedelta(days=10 * n)) for n in range(110)]
        deliver(PENALTY, FIRST, old, is_initial=True)
        deliver(VIOLATION, FIRST, [Row("V1", "U1", {})], is_initial=True)
        deliver(REGISTER, FIRST, [Row("E1", "U1", {})], is_initial=True)
        before = _publish(patch, FIRST)
        new = [_penalty("N1", "U1", SECOND), _penalty("N2", "U2", date(2026, 1, 5))]
        _reject(deliver(PENALTY, SECOND, new, quarantined=1))
        yield City(before, _publish(patch, SECOND))
        for login, _, _ in readers.listed():
            readers.remove(login)
    databases.drop(postgres_server, name)
    get_settings.cache_clear()


@pytest.fixture
def analyst(city: City) -> Iterator[psycopg.Connection]:
    """A session of an analyst's login, as psql or pandas opens it."""
    login = f"analyst_{uuid.uuid4().hex[:12]}"
    url = psycopg.conninfo.make_conninfo(
        database_url(), user=login, password=readers.add(login, Role.ANALYST)
    )
    with psycopg.connect(url) as connection:
        yield connection
    readers.remove(login)


@pytest.mark.parametrize("name", QUERIES)
def test_an_analyst_gets_an_answer_with_the_columns_the_query_says(
    name: str, analyst: psycopg.Connection
) -> None:
    columns, rows = run(analyst, QUERIES[name])
    assert tuple(columns) == QUERIES[name].columns
    assert rows, "the city has what is asked for"


@pytest.mark.parametrize("name", QUERIES)
def test_a_leader_gets_figures_and_no_records(name: str, city: City) -> None:
    with connect() as connection:
        connection.execute("set local role credit_leader")
        connection.execute("set local search_path = mart")
        if OF_RECORDS & set(QUERIES[name].marts):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                run(connection, QUERIES[name])
        else:
            assert run(connection, QUERIES[name])[1]


def test_the_answers_are_what_was_delivered(city: City, analyst: psycopg.Connection) -> None:
    def answer(name: str) -> list[dict[str, object]]:
        columns, rows = run(analyst, QUERIES[name])
        return [dict(zip(columns, row, strict=True)) for row in rows]

    (late,) = answer("late_feeds")
    assert (late["late_records"], late["timed_records"], late["is_small"]) == (1, 2, True)
    expiring = [row["displayed_until"] for row in answer("records_to_expire")]
    assert all(SECOND <= day <= SECOND + timedelta(days=30) for day in expiring)
    assert [row["publication_id"] for row in answer("as_of_publication")] == [city.before]
    assert all(row["is_kept_back"] is (row["records"] is None) for row in answer("small_counts"))
    analyst.execute("select set_config('query.subject', %s, false)", [str(key_of("U2"))])
    (change,) = answer("subject_changes")
    assert (change["change"], change["document_no"]) == ("新增", "@N2")
    assert answer("clean_record")[0]["is_clean"] is False
    assert {row["document_no"] for row in answer("subject_report")} >= {"@N2"}


def test_the_runner_lists_answers_and_refuses(city: City) -> None:
    listed = CliRunner().invoke(app, ["query"])
    assert listed.exit_code == 0 and "规划中哪些任务逾期" in listed.output
    told = CliRunner().invoke(app, ["query", "late_feeds", "--as", "leader"])
    assert told.exit_code == 0 and "50.00" in told.output
    early = CliRunner().invoke(app, ["query", "late_feeds", "--as-of", str(city.before)])
    assert "没有结果" in early.output, "nothing was timed in the first night"
    refused = CliRunner().invoke(app, ["query", "subject_report", "--as", "leader"])
    assert refused.exit_code == 1 and "无权读取" in refused.output
    unknown = CliRunner().invoke(app, ["query", "nothing"])
    assert unknown.exit_code == 1 and "没有示例查询" in unknown.output


def test_an_export_is_the_mart_with_its_dictionary(city: City, tmp_path: Path) -> None:
    done = export("credit_record", Format.CSV, tmp_path)
    with connect() as connection:
        expected = connection.execute("select count(*) from mart.credit_record").fetchone()
    with done.data.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert expected and len(rows) == done.rows == expected[0]
    assert {row["document_no"] for row in rows} >= {"'@N1", "'@N2"}, "no text is a formula"
    dictionary = done.dictionary.read_text(encoding="utf-8")
    assert f"| 发布批次 publication | {city.now} |" in dictionary
    assert "| document_no | 文号 | Number of the document that established the record. | text |" in dictionary
    assert "分析员（集市，身份脱敏） analyst" in dictionary and "leader" not in dictionary
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "credit_record.csv",
        "credit_record.dictionary.md",
    ]

    earlier = export("credit_record", Format.PARQUET, tmp_path, city.before)
    table = pq.read_table(earlier.data)
    assert earlier.publication_id == city.before and table.num_rows == earlier.rows < done.rows
    assert table.schema.field("decision_date").metadata[b"label"] == "决定日期".encode()


def test_an_export_is_refused_what_its_reader_may_not_read(city: City, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="领导（汇总数据）无权读取 credit_record"):
        export("credit_record", Format.CSV, tmp_path, role=Role.LEADER)
    with pytest.raises(ExportRefused, match="当前登录不属于任何部门"):
        export("credit_record", Format.CSV, tmp_path, role=Role.DEPARTMENT)
    with pytest.raises(ExportRefused, match=r"没有集市 identity；可选：.*credit_record"):
        export("identity", Format.CSV, tmp_path)
    with pytest.raises(ExportRefused, match="发布批次 99 不存在或未发布"):
        export("feed", Format.CSV, tmp_path, 99)
    refused = CliRunner().invoke(app, ["export", "credit_record", "--as", "leader", "--to", str(tmp_path)])
    assert refused.exit_code == 1 and "未导出" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_a_department_exports_its_own_rows(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f"department_{uuid.uuid4().hex[:12]}"
    password = readers.add(login, Role.DEPARTMENT, "tax")
    owner = database_url()
    monkeypatch.setenv("CREDIT_DATABASE_URL", _url(owner, login, password))
    get_settings.cache_clear()
    done = export("feed", Format.PARQUET, tmp_path, role=Role.DEPARTMENT)
    assert set(pq.read_table(done.data)["department_code"].to_pylist()) == {"tax"}
    with pytest.raises(ExportRefused, match="permission denied"):
        export("feed", Format.CSV, tmp_path, role=Role.ANALYST)
    monkeypatch.setenv("CREDIT_DATABASE_URL", owner)
    get_settings.cache_clear()
    readers.remove(login)


def _url(url: str, login: str, password: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    return f"postgresql://{login}:{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def test_the_notebook_answers_its_questions_as_an_analyst(
    city: City, analyst: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{analyst.info.host}:{analyst.info.port}/{analyst.info.dbname}"
    login = f"{analyst.info.user}:{analyst.info.password}"
    monkeypatch.setenv("CREDIT_READER_URL", f"postgresql+psycopg://{login}@{address}")
    (script,) = cells.NOTEBOOKS
    notebook = cells.run(script)
    shown = [
        "".join(output["data"]["text/plain"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    ]
    publications, gains, moves, leaving = shown
    assert str(city.now) in publications
    assert re.search(r"惠州市市场监督管理局 .* enum +1 +114.0 +0.88", gains), (
        "one of 114 rows, and nothing else wrong with it"
    )
    assert re.search(r"行政处罚 +2 +\d+ +\d+", moves), "two came in the second night, none left"
    assert "<30" in leaving

    kept = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    told = [(cell["cell_type"], "".join(cell["source"])) for cell in kept["cells"]]
    assert told == cells.sources(script), (
        "written anew with `python -m notebooks` after a change of the script"
    )
    assert login not in json.dumps(kept) and sum(bool(cell.get("outputs")) for cell in kept["cells"]) == len(
        shown
    )


def test_every_look_through_a_command_is_noted_and_stays(city: City, tmp_path: Path) -> None:
    with connect() as connection:
        record, subject = connection.execute(
            "select record_key, subject_key from mart.credit_record where document_no = '@N2'"
        ).fetchone() or (None, None)
        (chosen,) = connection.execute(
            "select subject_key from mart.credit_record order by effect = 'adverse' desc, decision_date desc, subject_key"
        ).fetchone() or (None,)
        last = connection.execute("select coalesce(max(access_id), 0) from ops.access").fetchone()
    looks = [
        ["explain", str(record)],
        ["query", "subject_report", "--subject", str(subject)],
        ["query", "clean_record"],
        ["history", "show", str(subject), "--publication", str(city.before)],
        ["export", "feed", "--as", "leader", "--to", str(tmp_path)],
    ]
    for look in looks:
        assert CliRunner().invoke(app, look).exit_code == 0, look
    refused = CliRunner().invoke(app, ["export", "credit_record", "--as", "leader", "--to", str(tmp_path)])
    assert refused.exit_code == 1
    with connect() as connection:
        noted = connection.execute(
            "select command, subject_key, record_key, mart, publication_id, read_as from ops.access"
            " where access_id > %s and login = session_user order by access_id",
            last,
        ).fetchall()
    assert noted == [
        ("explain", subject, record, None, None, None),
        ("query subject_report", subject, None, None, None, "analyst"),
        ("query clean_record", chosen, None, None, None, "analyst"),
        (f"history show --by subject_key {subject}", subject, None, None, city.before, None),
        ("export", None, None, "feed", city.now, "leader"),
    ]
    shown = CliRunner().invoke(app, ["accesses", "--subject", str(subject)])
    assert shown.exit_code == 0 and "explain" in shown.output
    nobody = CliRunner().invoke(app, ["accesses", "--subject", str(uuid.uuid4())])
    assert "没有访问记录" in nobody.output
    with connect() as connection, pytest.raises(psycopg.errors.RaiseException, match="只能追加"):
        connection.execute("delete from ops.access")


def test_a_reader_is_logged_under_his_own_name_and_cannot_turn_it_off(
    analyst: psycopg.Connection,
) -> None:
    assert analyst.execute("show log_statement").fetchone() == ("all",)
    analyst.rollback()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("set log_statement = 'none'")
    analyst.rollback()
    analyst.execute("set transaction read write")
    analyst.execute("select ops.note_access('somebody', null, 'sql', null, null, null, null)")
    analyst.commit()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("select * from ops.access")
    with connect() as connection:
        connection.execute("set local role credit_auditor")
        newest = connection.execute("select login from ops.access order by access_id desc limit 1").fetchone()
    assert newest == (analyst.info.user,)


def test_the_dictionary_is_a_page_with_meaning_owner_and_lineage(city: City) -> None:
    told = CliRunner().invoke(app, ["docs"])
    assert told.exit_code == 0, told.output
    folder = get_settings().dictionary_dir
    assert [file.name for file in folder.iterdir()] == ["index.html"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    for words in (
        "数据字典 · Data dictionary",
        "信用记录（可查询） — One row per record",
        "决定日期 — Day of the decision",
        "归集考核岗 · reporting and appraisal",
        "model.credit_warehouse.department_coverage_daily",
        "department_coverage_daily__rows_add_up",
    ):
        assert json.dumps(words)[1:-1] in page, words
    assert not re.search(r"postgresql://\S+:\S+@", page)


def test_every_mart_and_column_is_explained_in_the_database(city: City) -> None:
    with connect() as connection:
        marts = connection.execute(
            "select relname from pg_class where relnamespace = 'mart'::regnamespace and relkind = 'v'"
        ).fetchall()
        described = [describe(connection, mart) for (mart,) in marts]
        with pytest.raises(UnknownMart):
            describe(connection, "nothing")
        unnamed = sql.SQL("select obj_description('mart.publication'::regclass)")
        assert "definition" not in str(connection.execute(unnamed).fetchone())
    assert len(described) > 30
    assert not [
        mart.name for mart in described if not (mart.label and mart.grain and Role.AUDITOR in mart.readers)
    ]
    assert not [
        (mart.name, column.name)
        for mart in described
        for column in mart.columns
        if not (column.label and column.meaning)
    ]
