"""The materialization ``versioned``, against real Postgres and a model of it in plain Python."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from credit_warehouse import migrations, publication
from credit_warehouse.database import connect

from .dbt_process import DbtFailed, dbt

PROJECT = Path(__file__).parent / "versioned_project"
NIGHT = date(2026, 3, 2)

Things = dict[int, tuple[str | None, list[str]]]


class Mart:
    """The source of the model `thing`, its candidates, and what each publication must show."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.things: Things = {}
        self.affected: set[int] = set()
        self.published: dict[int, Things] = {}
        with connect() as connection:
            connection.execute(
                "create table public.thing (thing_key int primary key, colour text, parts text[])"
            )
            connection.execute("create table public.affected (thing_key int)")

    def change(self, key: int, thing: tuple[str | None, list[str]] | None) -> None:
        """Set or (None) remove a thing; it stays affected until a publication holds it."""
        self.affected.add(key)
        if thing is None:
            self.things.pop(key, None)
        else:
            self.things[key] = thing

    def open(self) -> int:
        candidate = publication.open_candidate(NIGHT, full_refresh=True)
        assert candidate is not None
        return candidate.publication_id

    def build(self, candidate: int, *arguments: str) -> None:
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute("truncate public.thing, public.affected")
            cursor.executemany(
                "insert into public.thing values (%s, %s, %s)",
                [(key, *thing) for key, thing in self.things.items()],
            )
            cursor.executemany("insert into public.affected values (%s)", [(key,) for key in self.affected])
        dbt(self.patch, PROJECT, candidate, NIGHT, "run", *arguments)

    def publish(self, candidate: int) -> None:
        publication.publish(candidate, "test")
        self.published[candidate] = dict(self.things)
        self.affected.clear()

    def read(self, as_of: int | None = None) -> Things:
        with connect(as_of) as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute("select * from mart.thing")}


@pytest.fixture
def mart(warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Mart:
    return Mart(monkeypatch)


def stored(where: str = "true") -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(
            "select thing_key, colour, parts, valid_from_publication, valid_to_publication"
            f" from mart_store.thing where {where} order by 1, 4"
        ).fetchall()


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history_reads_as_it_was_published(mart: Mart, seed: int) -> None:
    """Random changes, candidates built once or again, discarded or published, sometimes with full refresh."""
    chance = random.Random(seed)
    for _ in range(8):
        for key in chance.sample(range(20), chance.randrange(8)):
            gone = chance.random() < 0.3
            colour = chance.choice(["red", "green", None])
            mart.change(key, None if gone else (colour, chance.sample(["a", "b"], chance.randrange(3))))
        candidate = mart.open()
        mart.build(candidate, *(["--full-refresh"] if chance.random() < 0.2 else []))
        if chance.random() < 0.4:
            # The data changes between two attempts of one candidate, as when a late source comes in.
            mart.change(chance.randrange(20), ("blue", []))
            mart.build(candidate)
        assert mart.read(candidate) == mart.things
        if chance.random() < 0.3:
            publication.discard(candidate, "test")
            assert stored(f"valid_from_publication = {candidate} or valid_to_publication = {candidate}") == []
        else:
            mart.publish(candidate)
        for past, things in mart.published.items():
            assert mart.read(past) == things

    final = mart.open()
    mart.build(final, "--full-refresh")
    assert stored(f"valid_from_publication = {final}") == [
        (key, *thing, final, None)
        for key, thing in sorted(mart.things.items())
        if mart.published[max(mart.published)].get(key) != thing
    ], "a full rebuild writes nothing that the affected sets had missed"


def test_same_candidate_twice_writes_the_same_rows(mart: Mart) -> None:
    mart.change(1, ("red", []))
    mart.change(2, ("green", ["a"]))
    first = mart.open()
    mart.build(first)
    once = stored()
    mart.build(first)
    assert stored() == once

    mart.publish(first)
    mart.change(1, ("blue", []))
    second = mart.open()
    mart.build(second)
    mart.build(second)
    assert stored() == [
        (1, "red", [], first, second),
        (1, "blue", [], second, None),
        (2, "green", ["a"], first, None),
    ]
    assert mart.read() == {1: ("red", []), 2: ("green", ["a"])}, "readers stay on the last publication"


def test_only_an_open_candidate_is_written(mart: Mart) -> None:
    mart.change(1, ("red", []))
    candidate = mart.open()
    mart.build(candidate)
    mart.publish(candidate)
    mart.change(1, ("blue", []))
    with pytest.raises(DbtFailed, match="is published, not an open candidate"):
        mart.build(candidate)
    with pytest.raises(DbtFailed, match="unknown"):
        mart.build(candidate + 100)
    assert stored() == [(1, "red", [], candidate, None)]


def test_a_failing_model_leaves_the_mart_as_it_was(mart: Mart) -> None:
    mart.change(1, ("red", []))
    first = mart.open()
    mart.build(first)
    mart.publish(first)
    mart.change(1, ("blue", []))
    second = mart.open()
    with pytest.raises(DbtFailed, match="contract"):
        mart.build(second, "--vars", "{more_columns: ', 1 as surprise'}")
    with pytest.raises(DbtFailed, match="division by zero"):
        mart.build(
            second,
            "--vars",
            "{more_columns: ' from public.thing where 1 / (thing_key - 1) = 0 union all select thing_key, colour, parts'}",
        )
    assert stored() == [(1, "red", [], first, None)]
    mart.build(second)
    assert mart.read(second) == {1: ("blue", [])}


def test_two_rows_of_one_key_fail_the_model(mart: Mart) -> None:
    mart.change(1, ("red", []))
    candidate = mart.open()
    with pytest.raises(DbtFailed, match="thing__key"):
        mart.build(
            candidate,
            "--vars",
            "{more_columns: ' from public.thing union all select thing_key, colour, parts'}",
        )


def test_a_store_made_with_two_indexes_by_key_keeps_one(mart: Mart) -> None:
    mart.change(1, ("red", []))
    first = mart.open()
    mart.build(first)
    mart.publish(first)
    with connect() as connection:
        connection.execute("drop index mart_store.thing__key")
        connection.execute(
            "create unique index thing__open on mart_store.thing (thing_key) where valid_to_publication is null"
        )
        connection.execute("create index thing__key on mart_store.thing (thing_key, valid_from_publication)")
        connection.execute("update ops.alembic_version set version_num = '0016'")
    migrations.apply()
    with connect() as connection:
        indexes = connection.execute(
            "select indexname, indexdef from pg_indexes where schemaname = 'mart_store'"
            " and indexname in ('thing__open', 'thing__key')"
        ).fetchall()
        assert indexes == [
            (
                "thing__key",
                "CREATE UNIQUE INDEX thing__key ON mart_store.thing USING btree"
                " (thing_key, valid_to_publication) NULLS NOT DISTINCT",
            )
        ]
        with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
            connection.execute(
                "insert into mart_store.thing (thing_key, parts, valid_from_publication) values (1, '{}', 2)"
            )
    mart.change(1, ("blue", []))
    second = mart.open()
    mart.build(second)
    mart.publish(second)
    assert mart.read(first) == {1: ("red", [])}
    assert mart.read(second) == {1: ("blue", [])}


def test_a_new_column_keeps_history_and_readers(mart: Mart, tmp_path: Path) -> None:
    mart.change(1, ("red", []))
    mart.change(2, ("green", []))
    first = mart.open()
    mart.build(first)
    mart.publish(first)
    with connect() as reader:
        view = reader.execute("select 'mart.thing'::regclass::oid").fetchone()
        widened = _copy_with_weight(tmp_path)
        second = mart.open()
        reader.rollback()
        dbt(mart.patch, widened, second, NIGHT, "run", "--full-refresh")
        assert reader.execute("select 'mart.thing'::regclass::oid").fetchone() == view, (
            "replaced, not dropped"
        )
    publication.publish(second, "test")
    with connect(first) as connection:
        assert connection.execute("select thing_key, weight from mart.thing order by 1").fetchall() == [
            (1, None),
            (2, None),
        ]
    with connect(second) as connection:
        assert connection.execute("select thing_key, weight from mart.thing order by 1").fetchall() == [
            (1, 7),
            (2, 7),
        ]

    third = mart.open()
    with pytest.raises(DbtFailed, match="no longer has"):
        mart.build(third)


def test_an_unchanged_view_is_not_touched_under_a_reader(mart: Mart) -> None:
    """A reader that holds the view for the whole build delays nothing: no exclusive lock is asked for."""
    mart.change(1, ("red", []))
    first = mart.open()
    mart.build(first)
    mart.publish(first)
    mart.change(1, ("blue", []))
    second = mart.open()
    with connect() as reader:
        reader.execute("select * from mart.thing")
        with connect() as owner:
            name = sql.Identifier(owner.info.dbname)
            owner.execute(sql.SQL("alter database {} set lock_timeout = '2s'").format(name))
        mart.build(second)
    assert mart.read(second) == {1: ("blue", [])}


def _copy_with_weight(folder: Path) -> Path:
    models = folder / "models"
    models.mkdir()
    for path in (PROJECT / "models").iterdir():
        (models / path.name).write_text(path.read_text("utf-8"), "utf-8")
    model = models / "thing.sql"
    model.write_text(
        model.read_text("utf-8").replace("select thing_key", "select 7 as weight, thing_key"), "utf-8"
    )
    yml = models / "thing.yml"
    yml.write_text(yml.read_text("utf-8") + "      - {name: weight, data_type: integer}\n", "utf-8")
    project = (PROJECT / "dbt_project.yml").read_text("utf-8")
    macros = (PROJECT / "../../../dbt_project/macros").resolve()
    (folder / "dbt_project.yml").write_text(
        project.replace("../../../dbt_project/macros", str(macros)), "utf-8"
    )
    return folder
