"""A labelled set as accepted deliveries, and what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import psycopg
from psycopg import sql

from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import connect
from simulator.labelled import DECIDED_ON, KnownSubject, LabelledRecord, LabelledSet

Row = tuple[uuid.UUID, uuid.UUID | None, str | None, dict[str, Any]]
"""Record key, subject key, kind of subject, contract fields."""

_NAMESPACE = uuid.UUID("6f1ed002-ab5f-4a6e-9c1e-000000000001")
PERSONS = "court.judgment_enforcement"
ORGANISATIONS = "market_regulation.enterprise_registration"
RECORDS = "court.dishonest_judgment_debtor"


def subject_key(identifier: str) -> uuid.UUID:
    """The key of a known subject here; a real one is an HMAC, but all that matters is that it is one to one."""
    return uuid.uuid5(_NAMESPACE, identifier)


def record_key(number: int) -> uuid.UUID:
    """The key of the labelled record at this place of the set."""
    return uuid.uuid5(_NAMESPACE, f"record {number}")


def deliver(labelled: LabelledSet, night: date = DECIDED_ON) -> None:
    """Known subjects and labelled records as three accepted batches."""
    deliver_subjects(labelled.subjects, night)
    deliver_records(enumerate(labelled.records), night)


def deliver_subjects(subjects: Iterable[KnownSubject], night: date = DECIDED_ON) -> None:
    """Rows that carry the subjects' identifiers, one per name."""
    for feed, kind, id_type in (
        (PERSONS, "person", "resident_id"),
        (ORGANISATIONS, "organisation", "uscc"),
    ):
        contract = load_contracts()[feed]
        of_kind = [subject for subject in subjects if subject.kind == kind]
        rows: list[Row] = []
        for subject in of_kind:
            key = subject_key(subject.identifier)
            for name in subject.names:
                row: dict[str, Any] = {contract.terms.subject.name: name, id_type: subject.identifier}
                if kind == "organisation":
                    row["legal_representative"] = subject.representative
                rows.append((uuid.uuid5(_NAMESPACE, f"{feed} {subject.identifier}"), key, kind, row))
        with connect() as connection:
            batch = _batch(connection, contract, night, len(rows))
            _copy_rows(connection, contract, batch, night, rows)
            with connection.cursor().copy(
                "copy vault.identity (subject_key, subject_type, id_type, id_value, name, first_batch_id) from stdin"
            ) as copy:
                for subject in of_kind:
                    copy.write_row(
                        (
                            subject_key(subject.identifier),
                            kind,
                            id_type,
                            subject.identifier,
                            subject.names[0],
                            batch,
                        )
                    )


def deliver_records(records: Iterable[tuple[int, LabelledRecord]], night: date = DECIDED_ON) -> int:
    """The labelled records as rows that name nobody; returns the batch."""
    contract = load_contracts()[RECORDS]
    rows: list[Row] = [
        (
            record_key(number),
            None,
            None,
            {
                "party_type": "自然人" if record.kind == "person" else "法人或其他组织",
                "party_name": record.name,
                "resident_id": record.number,
                "sex": record.sex,
                "age": record.age,
                "legal_representative": record.representative,
                "published_on": DECIDED_ON,
            },
        )
        for number, record in records
    ]
    with connect() as connection:
        batch = _batch(connection, contract, night, len(rows))
        _copy_rows(connection, contract, batch, night, rows)
    return batch


def _batch(connection: psycopg.Connection, contract: FeedContract, night: date, rows: int) -> int:
    found = connection.execute(
        "insert into ops.batch (feed, business_date, delivered_for, delivery_id, sha256, landed_path, bytes, state,"
        " delivered_rows, accepted_rows, quarantined_rows, refused_rows, contract_version)"
        " values (%(feed)s, %(night)s, %(night)s, %(id)s, %(sha)s, 'labelled', 1, 'accepted', %(rows)s, %(rows)s, 0, 0, %(v)s)"
        " returning batch_id",
        {
            "feed": contract.feed,
            "night": night,
            "id": str(uuid.uuid4()),
            "sha": uuid.uuid4().hex * 2,
            "rows": rows,
            "v": contract.version,
        },
    ).fetchone()
    assert found is not None
    return int(found[0])


def _copy_rows(
    connection: psycopg.Connection,
    contract: FeedContract,
    batch: int,
    night: date,
    rows: list[Row],
) -> None:
    fields = sorted({name for *_, values in rows for name in values})
    columns = [
        "batch_id",
        "source_row",
        "record_key",
        "subject_key",
        "subject_type",
        "is_withdrawal",
        *fields,
    ]
    columns.append(contract.terms.updated_field)
    statement = sql.SQL("copy raw.{} ({}) from stdin").format(
        sql.Identifier(contract.relation), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(statement) as copy:
        for number, (record, subject, kind, values) in enumerate(rows, 1):
            written = datetime.combine(night, time(8))
            copy.write_row(
                (batch, number, record, subject, kind, False, *(values.get(name) for name in fields), written)
            )


@dataclass(frozen=True)
class Quality:
    """How well the candidates of one kind did. Grain of the counts: records, but ``proposed`` and ``right``: pairs."""

    records: int
    with_subject: int
    """Records whose subject the city knows."""
    proposed: int
    right: int
    confident: int
    """Pairs with a score of at least 0.9."""
    confident_right: int
    first: int
    """Records with a known subject whose first candidate it is."""
    missed: dict[str, int]
    """Why true candidates are not in the list → records."""

    @property
    def precision(self) -> float:
        return self.right / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.with_subject

    @property
    def confident_precision(self) -> float:
        return self.confident_right / self.confident if self.confident else 1.0

    @property
    def top_1(self) -> float:
        return self.first / self.with_subject

    @property
    def per_record(self) -> float:
        return self.proposed / self.records


def judge(labelled: LabelledSet, kind: str) -> Quality:
    """Compare the candidates in the warehouse with the truth."""
    with connect() as connection:
        found = connection.execute(
            "select record_key, subject_key, score::float8 from vault.match_candidate order by score desc, subject_key"
        ).fetchall()
    proposals: dict[uuid.UUID, list[tuple[uuid.UUID, float]]] = {}
    for record, subject, score in found:
        proposals.setdefault(record, []).append((subject, score))
    subjects = {subject.identifier: subject for subject in labelled.subjects}
    counts = dict.fromkeys(
        ("records", "with_subject", "proposed", "right", "confident", "confident_right", "first"), 0
    )
    missed: dict[str, int] = {}
    for number, record in enumerate(labelled.records):
        if record.kind != kind:
            continue
        pairs = proposals.get(record_key(number), [])
        true_key = subject_key(record.truth) if record.truth else None
        counts["records"] += 1
        counts["with_subject"] += true_key is not None
        counts["proposed"] += len(pairs)
        counts["right"] += sum(key == true_key for key, _ in pairs)
        counts["confident"] += sum(score >= 0.9 for _, score in pairs)
        counts["confident_right"] += sum(key == true_key and score >= 0.9 for key, score in pairs)
        counts["first"] += bool(pairs) and pairs[0][0] == true_key
        if record.truth and not any(key == true_key for key, _ in pairs):
            reason = _why_missed(record, subjects[record.truth])
            missed[reason] = missed.get(reason, 0) + 1
    return Quality(**counts, missed=missed)


def _why_missed(record: LabelledRecord, subject: KnownSubject) -> str:
    if record.number and any(
        seen not in ("*", real) for seen, real in zip(record.number, subject.identifier, strict=True)
    ):
        return "a visible digit contradicts the number"
    if record.trait.startswith("name misspelt"):
        return "misspelt, and nothing else to look it up by"
    return "too many namesakes, or too little to tell them apart"


def links() -> int:
    """Links in effect: there is none that no person decided."""
    with connect() as connection:
        ((count,),) = connection.execute("select count(*) from ops.record_link").fetchall()
    return int(count)
