"""The steps of one source's night: pull, load, gate, settle. Each may run any number of times."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from credit_warehouse import changes
from credit_warehouse.connections import Endpoint
from credit_warehouse.contracts import FeedContract, load_contracts
from credit_warehouse.database import alone, connect
from credit_warehouse.errors import DeliveryRefused, SourceUnavailable
from credit_warehouse.feedback import closing
from credit_warehouse.intake import ledger
from credit_warehouse.intake.landing import land
from credit_warehouse.intake.loading import load_batch
from credit_warehouse.intake.sources import TAKE, Taken
from credit_warehouse.outcomes import Outcome, step
from credit_warehouse.settings import get_settings


def pull(feed: str, business_date: date, endpoint: Endpoint, run_id: str | None = None) -> list[int]:
    """Land whatever the department has for this feed up to the business date. Returns the new batches.

    Raises:
        SourceUnavailable: no connection, or nothing for this night yet; worth another try later.
    """
    contract = load_contracts()[feed]
    with (
        step("pull", business_date, source=contract.source, feed=feed, run_id=run_id) as outcome,
        # Two that ask for one window would both count its rows.
        alone("pull", feed),
    ):
        if _covered(contract, business_date, outcome):
            return []
        new, duplicates = _take(contract, business_date, endpoint)
        outcome.detail = {"batches": new, "duplicates": duplicates}
        if new:
            outcome.message = f"新到 {len(new)} 批"
        elif duplicates:
            outcome.state, outcome.message = "duplicate", "送来的文件此前已入库，未重复处理"
        elif _delivered(contract, business_date):
            outcome.state, outcome.message = "unchanged", "没有新的报送"
        else:
            raise SourceUnavailable(f"{contract.department_label}尚未送达 {business_date} 的数据")
        return new


def _covered(contract: FeedContract, business_date: date, outcome: Outcome) -> bool:
    """A window feed whose later window is in already has this night in it: asking again would count rows twice."""
    if contract.terms.delivery.protocol == "sftp":
        return False
    with connect() as connection:
        last = ledger.last_window(connection, contract.feed)
    if last is None or last.delivered_for < business_date:
        return False
    outcome.state = "unchanged"
    outcome.batch_id = last.batch_id
    outcome.message = f"该日变更已由批次 {last.batch_id}（{last.delivered_for}）取得"
    return True


def _take(contract: FeedContract, business_date: date, endpoint: Endpoint) -> tuple[list[int], list[int]]:
    settings = get_settings()
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with connect() as connection:
        last = ledger.last_window(connection, contract.feed)
        taken = Taken(ledger.remote_marks(connection, contract.feed), last.watermark if last else None)
    new: list[int] = []
    duplicates: list[int] = []
    with tempfile.TemporaryDirectory(prefix=f"pull-{contract.feed}-", dir=settings.scratch_dir) as folder:
        take = TAKE[contract.terms.delivery.protocol]
        for arrival in take(contract, business_date, endpoint, taken, Path(folder)):
            landed = land(
                settings,
                contract,
                arrival.path,
                name=arrival.name,
                delivery_id=arrival.delivery_id,
                delivered_for=arrival.delivered_for,
                watermark=arrival.watermark,
                receipt=arrival.receipt,
            )
            # File by file: what is complete is in the ledger even if the next file breaks the connection.
            with connect() as connection:
                batch, is_new = ledger.register(connection, contract, business_date, landed)
            if batch.state == "duplicate":
                duplicates.append(batch.batch_id)
            elif is_new:
                new.append(batch.batch_id)
    return new, duplicates


def _delivered(contract: FeedContract, business_date: date) -> bool:
    with connect() as connection:
        found = connection.execute(
            "select from ops.batch where feed = %s and delivered_for = %s limit 1",
            [contract.feed, business_date],
        ).fetchone()
    return found is not None


def load(feed: str, business_date: date, run_id: str | None = None) -> list[int]:
    """Split and load every landed batch of the feed. Returns the batches now loaded.

    A delivery that cannot be used becomes a refused batch with its reason; that is an answer and no exception.

    Raises:
        psycopg.Error: the database failed; trying again is safe.
    """
    contract = load_contracts()[feed]
    with connect() as connection:
        batches = ledger.landed_batches(connection, feed)
    loaded = []
    for batch in batches:
        with step("load", business_date, source=contract.source, feed=feed, run_id=run_id) as outcome:
            outcome.batch_id = batch.batch_id
            try:
                split = load_batch(contract, batch, get_settings())
            except DeliveryRefused as refusal:
                outcome.state, outcome.code = "refused", refusal.code
                outcome.message = f"{contract.department_label}批次 {batch.batch_id}：{refusal.message}"
                continue
            loaded.append(batch.batch_id)
            outcome.detail = {
                "delivered": split.delivered_rows,
                "accepted": split.accepted_rows,
                "quarantined": split.rejected_rows,
                "extra_columns": split.extra,
                "missing_optional_columns": split.missing_optional,
            }
    if not batches:
        with step("load", business_date, source=contract.source, feed=feed, run_id=run_id) as outcome:
            outcome.state, outcome.message = "unchanged", "没有待入库的批次"
    return loaded


def gate(source: str, business_date: date, run_id: str | None = None) -> dict[str, int]:
    """Gate 1: judge every loaded batch of the source. Returns how many were accepted and refused.

    Raises:
        psycopg.Error: the database failed; trying again is safe.
    """
    from credit_warehouse.quality import gate_intake

    with step("gate", business_date, source=source, run_id=run_id) as outcome, connect() as connection:
        batches = ledger.loaded_batches(connection, source)
        if not batches:
            outcome.state, outcome.message = "unchanged", "没有待检验的批次"
            return {"accepted": 0, "refused": 0}
        verdicts = gate_intake(connection, source, [batch.batch_id for batch in batches])
        refused = [verdict for verdict in verdicts if not verdict.passed]
        contract_of = {batch.batch_id: load_contracts()[batch.feed] for batch in batches}
        for verdict in verdicts:
            if verdict.passed:
                _accept(connection, verdict.batch_id)
            else:
                ledger.refuse(connection, verdict.batch_id, "gate", verdict.message, None)
                closing.close_by_batch(connection, contract_of[verdict.batch_id], verdict.batch_id)
        outcome.state = "refused" if refused else "succeeded"
        outcome.message = "；".join(verdict.message for verdict in refused) or None
        summary = {"accepted": len(verdicts) - len(refused), "refused": len(refused)}
        outcome.detail = dict(summary)
        return summary


def _accept(connection: psycopg.Connection, batch_id: int) -> None:
    row = connection.execute(
        "update ops.batch set state = 'accepted' where batch_id = %s and state = 'loaded' returning feed",
        [batch_id],
    ).fetchone()
    if row is not None:
        contract = load_contracts()[row[0]]
        _remember_identities(connection, contract, batch_id)
        changes.take_in(connection, contract, batch_id)
        closing.close_by_batch(connection, contract, batch_id)


def _remember_identities(connection: psycopg.Connection, contract: FeedContract, batch_id: int) -> None:
    """The vault learns the clear identity behind every subject key of the batch, first name first, and every name."""
    table = sql.Identifier("raw", contract.relation)
    name = sql.Identifier(contract.terms.subject.name)
    connection.execute(
        sql.SQL(
            "insert into vault.identity (subject_key, subject_type, id_type, id_value, name, first_batch_id)"
            " select distinct on (subject_key) subject_key, subject_type, id_type, {value}, {name}, batch_id from {table}"
            " where batch_id = {batch} and subject_key is not null order by subject_key, source_row"
            " on conflict (subject_key) do nothing"
        ).format(value=_id_value(contract), name=name, table=table, batch=batch_id)
    )
    connection.execute(
        sql.SQL(
            "insert into vault.subject_name (subject_key, name_key, name, first_batch_id)"
            " select distinct on (subject_key, name_key) subject_key, name_key, {name}, batch_id from {table}"
            " where batch_id = {batch} and subject_key is not null and name_key is not null"
            " order by subject_key, name_key, source_row on conflict (subject_key, name_key) do nothing"
        ).format(name=name, table=table, batch=batch_id)
    )


def _id_value(contract: FeedContract) -> sql.Composable:
    """The value the subject key was made from, by its type."""
    subject = contract.terms.subject
    fields = {
        "uscc": [subject.uscc, subject.tax_no],
        "org_code": [subject.org_code],
        "registration_no": [subject.registration_no],
    }
    cases = [
        sql.SQL("when id_type = {} then coalesce({})").format(
            kind, sql.SQL(", ").join(map(sql.Identifier, named))
        )
        for kind, columns in fields.items()
        if (named := [column for column in columns if column])
    ]
    if subject.resident_id:
        # Whatever else the type is, it is a document of a person.
        cases.append(sql.SQL("when true then {}").format(sql.Identifier(subject.resident_id)))
    return sql.SQL("case {} end").format(sql.SQL(" ").join(cases))


def settle(source: str, business_date: date, run_id: str | None = None) -> dict[str, str]:
    """The source's answer for the night, per feed: ``delivered``, ``refused``, ``unchanged`` or ``late``.

    Always answers: publication waits for an answer, not for data.
    """
    answers: dict[str, str] = {}
    for contract in load_contracts().values():
        if contract.source != source:
            continue
        with step("settle", business_date, source=source, feed=contract.feed, run_id=run_id) as outcome:
            answer, message = _answer(contract, business_date)
            answers[contract.feed] = answer
            outcome.state = {"delivered": "succeeded"}.get(answer, answer)
            outcome.message = message
    return answers


def _answer(contract: FeedContract, business_date: date) -> tuple[str, str | None]:
    with connect() as connection:
        batch = connection.execute(
            "select batch_id, state, refusal_message from ops.batch where feed = %s and delivered_for = %s"
            " and state in ('accepted', 'refused') order by (state = 'accepted') desc, batch_id desc limit 1",
            [contract.feed, business_date],
        ).fetchone()
        if batch is not None:
            return (
                ("delivered", None) if batch[1] == "accepted" else ("refused", f"批次 {batch[0]}：{batch[2]}")
            )
        last = ledger.last_window(connection, contract.feed)
        if (
            contract.terms.delivery.protocol != "sftp"
            and last is not None
            and last.delivered_for > business_date
        ):
            return "unchanged", f"该日变更已由批次 {last.batch_id} 取得"
        newest = connection.execute(
            "select max(delivered_for) from ops.batch where feed = %s and state = 'accepted'", [contract.feed]
        ).fetchone()
    shown = newest[0] if newest and newest[0] else "无"
    return "late", f"{contract.department_label}未送达 {business_date} 的数据；现用数据截至 {shown}"


def unanswered(business_date: date) -> list[str]:
    """Sources that have not answered for the night: some feed of theirs was never settled for it."""
    with connect() as connection:
        settled = {
            row[0]
            for row in connection.execute(
                "select distinct feed from ops.outcome where business_date = %s and step = 'settle'"
                " and state not in ('running', 'failed')",
                [business_date],
            )
        }
    return sorted({contract.source for contract in load_contracts().values() if contract.feed not in settled})
