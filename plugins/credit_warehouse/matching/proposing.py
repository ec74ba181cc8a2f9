"""The nightly verb: candidates for the unlinked records that changed, or whose candidates may have."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from credit_warehouse.contracts import load_contracts
from credit_warehouse.database import connect
from credit_warehouse.matching import features
from credit_warehouse.matching.comparisons import MODEL_VERSION, MODELS, Model
from credit_warehouse.matching.gathering import gather
from credit_warehouse.matching.parameters import Parameters
from credit_warehouse.matching.scoring import Pairs, Scored, score
from credit_warehouse.settings import Settings

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Proposal:
    """What a run did: ``batches`` taken account of, ``records`` looked at, ``pairs`` scored, ``candidates`` that stand for
    these records and wait for a person."""

    batches: int
    records: int = 0
    pairs: int = 0
    candidates: int = 0


def propose(business_date: date, settings: Settings) -> Proposal:
    """Propose candidates, all or nothing. Nothing new since the last run: nothing changes.

    Raises:
        LookupError: a parameter of the model is missing; the message names it.
        psycopg.Error: the database failed; trying again is safe.
    """
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="matching-", dir=settings.scratch_dir) as folder,
        connect() as connection,
    ):
        connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.matching'))")
        of_records = [contract for contract in load_contracts().values() if contract.terms.record]
        batches = gather(connection, of_records, MODEL_VERSION)
        records = _affected_by_kind(connection)
        if not records:
            _forget_settled(connection)
            return Proposal(batches)
        scored: list[tuple[Scored, int]] = []
        for model in (model for model in MODELS if model.kind in records):
            numbers = Parameters.load(connection, model.kind, business_date)
            pairs = _export(connection, model, numbers, business_date, Path(folder))
            found = score(model, pairs, numbers, Path(folder), settings)
            scored.append((found, int(numbers["most_candidates"])))
        total = sum(found.pairs for found, _ in scored)
        models = {found.kind: found.model for found, _ in scored}
        run = _run(connection, business_date, models, sum(records.values()), total)
        for found, most in scored:
            _import(connection, found.file, most)
        candidates = _replace(connection, run, business_date)
        _forget_settled(connection)
        return Proposal(batches, sum(records.values()), total, candidates)


def _affected_by_kind(connection: psycopg.Connection) -> dict[str, int]:
    connection.execute("analyze affected")
    return dict(
        connection.execute(
            "select subject_type, count(*) from affected join vault.unlinked_record using (record_key) group by 1"
        ).fetchall()
    )


def _export(
    connection: psycopg.Connection, model: Model, numbers: Parameters, business_date: date, folder: Path
) -> Pairs:
    parameters: dict[str, Any] = {
        "kind": model.kind,
        "day": business_date,
        "sample": int(numbers["sample"]),
        "floor": numbers["frequency_floor"],
    }
    connection.execute("drop table if exists blocked")
    connection.execute(features.BLOCKED[model.kind])
    known = connection.execute(
        "select count(*) from vault.identity where subject_type = %(kind)s", parameters
    ).fetchone()
    assert known is not None

    def copied(name: str, query: str) -> Path:
        return _copy_out(connection, query, parameters, folder / f"{model.kind}-{name}.csv")

    return Pairs(
        records=copied("records", features.RECORDS),
        subjects=copied("subjects", features.SUBJECTS),
        masked_sample=copied("masked-sample", features.MASKED_SAMPLE),
        sample=copied("sample", features.SAMPLE),
        frequencies={
            column: copied(f"frequency-{column}", features.FREQUENCY[column]) for column in model.weighed
        },
        known=known[0],
    )


def _copy_out(connection: psycopg.Connection, query: str, parameters: dict[str, Any], file: Path) -> Path:
    cursor = psycopg.ClientCursor(connection)
    # COPY takes no parameters of its own: they are quoted by the client.
    statement = cursor.mogrify(f"copy ({query}) to stdout (format csv, header)", parameters)
    with file.open("wb") as target, connection.cursor().copy(sql.SQL(statement)) as copy:
        for data in copy:
            target.write(data)
    return file


def _run(
    connection: psycopg.Connection, business_date: date, models: dict[str, Any], records: int, pairs: int
) -> int:
    row = connection.execute(
        "insert into ops.match_run (business_date, model_version, models, records, pairs)"
        " values (%s, %s, %s, %s, %s) returning match_run_id",
        [business_date, MODEL_VERSION, Jsonb(models), records, pairs],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _import(connection: psycopg.Connection, file: Path, most: int) -> None:
    """Into temporary table ``best``: the best row of each pair, the best pairs of each record."""
    connection.execute(
        "create temp table if not exists best (record_key uuid, subject_key uuid, score numeric, match_weight numeric,"
        " explanation jsonb, primary key (record_key, subject_key)) on commit drop"
    )
    connection.execute(
        "create temp table scored (record_key uuid, known_as_id bigint, score numeric, match_weight numeric,"
        " explanation jsonb) on commit drop"
    )
    with file.open("rb") as source, connection.cursor().copy("copy scored from stdin (format csv)") as copy:
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
    connection.execute(
        """
        insert into best
        select record_key, subject_key, score, match_weight, explanation
        from (
            select *, row_number() over (partition by record_key order by score desc, known_as_id) as place
            from (
                select distinct on (record_key, subject_key) scored.*, subject_key
                from scored join vault.known_as using (known_as_id)
                order by record_key, subject_key, score desc, known_as_id
            ) as pair
        ) as ranked
        where place <= %s
        """,
        [most],
    )
    connection.execute("drop table scored")


def _replace(connection: psycopg.Connection, run: int, business_date: date) -> int:
    """The affected records' undecided candidates become those of this run; what was decided stays as it was decided on."""
    # Nobody decides about a candidate while it is being replaced.
    connection.execute("select pg_advisory_xact_lock(hashtext('credit_warehouse.match_decision'))")
    connection.execute(
        "create temp table decided on commit drop as"
        " select record_key, subject_key from ops.standing_decision(9223372036854775807)"
    )
    connection.execute(
        """
        delete from vault.match_candidate as candidate using affected
        where candidate.record_key = affected.record_key
            and not exists (select from best where best.record_key = candidate.record_key
                and best.subject_key = candidate.subject_key)
            and not exists (select from decided where decided.record_key = candidate.record_key
                and decided.subject_key = candidate.subject_key)
        """
    )
    written = connection.execute(
        """
        insert into vault.match_candidate (record_key, subject_key, score, match_weight, explanation, model_version,
            first_run_id, first_batch_id, first_proposed_for, last_run_id, last_batch_id, last_proposed_for)
        select best.record_key, best.subject_key, best.score, best.match_weight, best.explanation, %(version)s,
            %(run)s, record.batch_id, %(day)s, %(run)s, record.batch_id, %(day)s
        from best
        join vault.unlinked_record as record using (record_key)
        where not exists (select from decided where decided.record_key = best.record_key
            and decided.subject_key = best.subject_key)
        on conflict (record_key, subject_key) do update set score = excluded.score,
            match_weight = excluded.match_weight, explanation = excluded.explanation,
            model_version = excluded.model_version, last_run_id = excluded.last_run_id,
            last_batch_id = excluded.last_batch_id, last_proposed_for = excluded.last_proposed_for
        """,
        {"version": MODEL_VERSION, "run": run, "day": business_date},
    )
    return written.rowcount


def _forget_settled(connection: psycopg.Connection) -> None:
    """A record that was put right or withdrawn by its department needs no candidates; decided ones stay on file."""
    connection.execute(
        """
        delete from vault.match_candidate as candidate
        where not exists (select from vault.unlinked_record as record where record.record_key = candidate.record_key)
            and not exists (select from ops.match_decision as d where d.record_key = candidate.record_key
                and d.subject_key = candidate.subject_key)
        """
    )
