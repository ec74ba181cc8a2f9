"""`dbt build` as a night calls it, with the project's own documentation and unit tests checked on the way."""

from __future__ import annotations

import json
from datetime import date, timedelta

import chinese_calendar
import pytest

from credit_warehouse import migrations, publication
from credit_warehouse.database import connect
from credit_warehouse.settings import PROJECT_DIR, get_settings
from credit_warehouse.transform import BuildFailed, dbt_build

from .city import Row, deliver
from .dbt_process import DbtFailed, dbt

NIGHT = date(2026, 3, 2)
PENALTY = "market_regulation.administrative_penalty"
_TOLD = (
    "select attrelid::regclass::text, attribute.attname::text, attoptions[1], round(known.n_distinct::numeric, 2)::float8"
    " from pg_attribute as attribute join pg_class on oid = attrelid left join pg_stats as known"
    " on tablename = relname and schemaname = relnamespace::regnamespace::text and known.attname = attribute.attname"
    " where relnamespace in ('core'::regnamespace, 'mart_store'::regnamespace) and attoptions is not null order by 1, 2"
)


def open_candidate(night: date) -> int:
    candidate = publication.open_candidate(night)
    assert candidate is not None
    return candidate.publication_id


def test_a_night(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = deliver(PENALTY, NIGHT, [Row("P1", "U1", {"decision_date": NIGHT})], quarantined=2)
    candidate = open_candidate(NIGHT)
    began = _sessions()
    core = dbt_build("core", candidate, NIGHT)
    marts = dbt_build("marts", candidate, NIGHT)
    assert 0 < _sessions() - began < 20, "a session a thread, not one a node"
    publication.publish(candidate, "test")

    with connect() as connection:
        record = connection.execute(
            "select batch_id, source_row, landed_path from mart.credit_record"
        ).fetchall()
        assert record == [(batch, 1, f"{PENALTY}/{NIGHT}")]
        counts = connection.execute(
            "select delivered_rows, accepted_rows, rejected_rows, new_records, unmatched_rows"
            " from mart.department_coverage_daily"
        ).fetchall()
        assert counts == [(3, 1, 2, 1, 1)]
        recorded = connection.execute(
            "select layer, count(*), bool_and(status in ('success', 'pass')) from ops.dbt_result"
            " where publication_id = %s group by layer order by layer",
            [candidate],
        ).fetchall()
        assert recorded == [("core", core.nodes, True), ("marts", marts.nodes, True)]
        reader = connection.execute(
            "select has_table_privilege('credit_analyst', 'mart.credit_record', 'select')"
        )
        assert reader.fetchone() == (True,)

        days: dict[date, bool] = dict(
            connection.execute("select day, is_workday from core.working_day").fetchall()
        )
    first, last = date(2015, 1, 1), date(2026, 12, 31)
    assert len(days) == (last - first).days + 1
    assert all(chinese_calendar.is_workday(day) == is_workday for day, is_workday in days.items())

    _check_documentation()
    _check_constraints()
    _the_planner_knows_the_records()
    statuses = dbt(
        monkeypatch, PROJECT_DIR / "dbt_project", candidate, NIGHT, "test", "--select", "test_type:unit"
    )
    assert len(statuses) >= 5
    _a_wrong_sum_is_found(monkeypatch, candidate)


def _a_wrong_sum_is_found(monkeypatch: pytest.MonkeyPatch, candidate: int) -> None:
    """In what the candidate wrote, and in a full build in all that stands; a night judges no older version again."""
    judge = ("build", "--select", "subject_credit_profile__effects_add_up")
    project, later = PROJECT_DIR / "dbt_project", candidate + 1
    with connect() as connection:
        connection.execute(
            "update mart_store.subject_credit_profile set records_in_force = records_in_force + 1"
        )
    for publication_id, arguments in ((candidate, judge), (later, (*judge, "--full-refresh"))):
        with pytest.raises(DbtFailed, match="Got 1 result"):
            dbt(monkeypatch, project, publication_id, NIGHT, *arguments)
    assert dbt(monkeypatch, project, later, NIGHT, *judge) == {judge[-1]: "pass"}


def _check_documentation() -> None:
    """Every model and column is described, says its grain first, and marts and staging enforce their contract."""
    manifest = json.loads((get_settings().dbt_target_dir / "manifest.json").read_text("utf-8"))
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert " — One row per " in node["description"], node["name"]
            assert node["config"]["contract"]["enforced"], node["name"]
            for column in node["columns"].values():
                assert " — " in column["description"], f"{node['name']}.{column['name']}"
        if node["resource_type"] == "test":
            meta = node["config"]["meta"]
            assert node["description"] and meta["next_steps"], node["name"]
            assert meta["purpose"] in {"source defect", "transform defect", "suspicion"}, node["name"]


def _check_constraints() -> None:
    """Tables have the keys and not-nulls of their contracts, though they were filled before they got them."""
    manifest = json.loads((get_settings().dbt_target_dir / "manifest.json").read_text("utf-8"))
    keys: dict[str, set[str]] = {}
    filled: set[tuple[str, str]] = set()
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["config"]["materialized"] not in ("table", "incremental"):
            continue
        table = f"{node['schema']}.{node['alias']}"
        stated = [
            (constraint["type"], {name})
            for name, column in node["columns"].items()
            for constraint in column["constraints"]
        ]
        stated += [(constraint["type"], set(constraint["columns"])) for constraint in node["constraints"]]
        for kind, columns in stated:
            if kind == "primary_key":
                keys[table] = columns
            filled |= {(table, column) for column in columns}
    assert keys and filled
    with connect() as connection:
        found = connection.execute(
            "select conrelid::regclass::text, array_agg(attname::text) from pg_constraint"
            " join pg_attribute on attrelid = conrelid and attnum = any(conkey)"
            " where contype = 'p' and connamespace = 'core'::regnamespace group by 1"
        ).fetchall()
        not_null = connection.execute(
            "select attrelid::regclass::text, attname::text from pg_attribute join pg_class on oid = attrelid"
            " where relnamespace = 'core'::regnamespace and relkind = 'r' and attnum > 0 and attnotnull"
        ).fetchall()
    assert keys.items() <= {table: set(columns) for table, columns in found}.items()
    assert filled <= set(not_null)


def _sessions() -> int:
    with connect() as connection:
        ((begun,),) = connection.execute(
            "select sessions from pg_stat_database where datname = current_database()"
        ).fetchall()
    return int(begun)


def _the_planner_knows_the_records() -> None:
    """A first build reports its rows, so that statistics are gathered; of what its samples mislead it about the planner is told.
    A warehouse built before is told by a migration."""
    with connect() as connection:
        reported = connection.execute(
            "select rows_affected from ops.dbt_result where unique_id = 'model.credit_warehouse.credit_record'"
        ).fetchall()
        told = connection.execute(_TOLD).fetchall()
        connection.execute("alter table core.credit_record alter column subject_key reset (n_distinct)")
        connection.execute(
            "alter table mart_store.queryable_credit_record alter column subject_key reset (n_distinct)"
        )
        connection.execute("update ops.alembic_version set version_num = '0017'")
    migrations.apply()
    with connect() as connection:
        assert connection.execute(_TOLD).fetchall() == told
    assert reported == [(1,)]
    assert told == [
        ("core.credit_record", "first_batch_id", "n_distinct=-0.01", -0.01),
        ("core.credit_record", "subject_key", "n_distinct=-0.1", -0.1),
        ("core.row_subject", "batch_id", "n_distinct=-0.01", -0.01),
        ("mart_store.queryable_credit_record", "subject_key", "n_distinct=-0.1", -0.1),
    ]


def test_a_failing_test_is_named_with_what_to_do(warehouse: str) -> None:
    batch = deliver(PENALTY, NIGHT, [Row("P1", "U1", {"decision_date": NIGHT})])
    with connect() as connection:
        connection.execute("update raw.market_regulation__administrative_penalty set document_no = null")
        connection.execute(
            "update ops.batch set accepted_rows = 2, delivered_rows = 2 where batch_id = %s", [batch]
        )
    candidate = open_candidate(NIGHT)
    with pytest.raises(BuildFailed) as failure:
        dbt_build("core", candidate, NIGHT)
    message = str(failure.value)
    assert "test credit_record_delivery__reconciles_with_ledger: Got 1 result" in message
    assert "Next: Compare raw and accepted" in message
    with connect() as connection:
        failed = connection.execute(
            "select count(*) from ops.dbt_result where status = 'fail' and failures = 1"
        ).fetchone()
    assert failed == (1,)


def test_a_year_without_calendar_fails(warehouse: str) -> None:
    night = date(2027, 1, 4)
    deliver(PENALTY, night, [Row("P1", "U1", {"decision_date": night - timedelta(days=1)})])
    with pytest.raises(BuildFailed, match="working_day__covers_run"):
        dbt_build("core", open_candidate(night), night)


def test_dbt_that_does_not_start_says_why(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_DATABASE_URL", "postgresql://nobody:wrong@127.0.0.1:1/none")
    get_settings.cache_clear()
    with pytest.raises(BuildFailed, match=r"127\.0\.0\.1"):
        dbt_build("core", 1, NIGHT)
