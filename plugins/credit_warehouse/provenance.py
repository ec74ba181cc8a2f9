"""From a record back to the file, row and document it came from, and through every publication it appeared in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from credit_warehouse.database import connect
from credit_warehouse.history.reading import archived_versions

Row = dict[str, Any]


class UnknownRecord(LookupError):
    """No record answers to what was asked, or more than one does; the message lists them."""


@dataclass(frozen=True)
class Explanation:
    """Everything the warehouse knows about how one record came to be and where it stands.

    ``record``: the row of core; ``deliveries``: one row per accepted version, newest first; ``rejections``: one row per
    quarantined delivery of it; ``changes``: one row per event; ``publications``: one row per span of publications that
    held the same version, archived ones too, with the time readers saw it; ``sendings``: one row per package that carried it upward, oldest
    first; ``hidden``: why no outlet shows it, none if one does.
    """

    record: Row
    deliveries: list[Row]
    rejections: list[Row]
    changes: list[Row]
    publications: list[Row]
    sendings: list[Row]
    hidden: str | None


def find(told: str) -> UUID:
    """The key of the record meant by ``told``: its key, or the number of its document.

    Raises:
        UnknownRecord: none, or several.
    """
    try:
        return UUID(told)
    except ValueError:
        pass
    with connect() as connection:
        found = connection.execute(
            "select record_key, feed, party_name, decision_date from core.credit_record where document_no = %s"
            " order by feed, record_key limit 20",
            [told],
        ).fetchall()
    if len(found) == 1:
        key: UUID = found[0][0]
        return key
    if not found:
        raise UnknownRecord(f"没有文号为“{told}”的信用记录；被退回的行请用 credit-warehouse quarantine 查看")
    listed = "\n".join(f"  {key}  {feed}  {name}  {day}" for key, feed, name, day in found)
    raise UnknownRecord(f"文号“{told}”对应 {len(found)} 条记录，请指明记录键：\n{listed}")


def explain(record_key: UUID) -> Explanation:
    """Trace one record.

    Raises:
        UnknownRecord: no accepted row has this key.
    """
    with connect() as connection:
        record = _all(
            connection,
            "select record.*, item.catalogue_item_name, item.sharing_tier, feed.feed_label, feed.department_name"
            " from core.credit_record as record inner join ops.feed as feed using (feed)"
            " left join ops.catalogue_item as item on item.catalogue_item_code = record.catalogue_item_code"
            " and item.version = record.catalogue_version where record_key = %(key)s",
            record_key,
        )
        if not record:
            raise UnknownRecord(f"没有记录键为 {record_key} 的信用记录")
        return Explanation(
            record=record[0],
            deliveries=_all(connection, _DELIVERIES, record_key),
            rejections=_all(connection, _REJECTIONS, record_key),
            changes=_all(
                connection,
                "select * from ops.record_event where record_key = %(key)s order by effective_on, event_id",
                record_key,
            ),
            publications=_publications(connection, record_key),
            sendings=_all(connection, _SENDINGS, record_key),
            hidden=_hidden(connection, record_key, record[0]["status"]),
        )


def _publications(connection: psycopg.Connection, record_key: UUID) -> list[Row]:
    archived = archived_versions(connection, "queryable_credit_record", "record_key", str(record_key))
    columns = {
        "first": "valid_from_publication",
        "end": "valid_to_publication",
        "status": "status",
        "batch": "batch_id",
        "row": "source_row",
        "until": "displayed_until",
    }
    spans = {name: [row[column] for row in archived] for name, column in columns.items()}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_PUBLICATIONS, {"key": record_key, **spans}).fetchall()


_DELIVERIES = """
    select
        version.updated_at, version.feed, version.batch_id, version.source_row, version.delivered_for,
        batch.business_date, batch.landed_path, batch.sha256, batch.contract_version, version.document_no,
        version.is_withdrawal, version.batch_id = current.batch_id and version.source_row = current.source_row as stands
    from core.credit_record_delivery as version
    inner join ops.batch as batch using (batch_id)
    inner join core.credit_record as current using (record_key)
    where version.record_key = %(key)s
    order by version.updated_at desc, version.delivered_for desc, version.batch_id desc, version.source_row desc
"""

_REJECTIONS = """
    select rejected.batch_id, rejected.source_row, rejected.feed, batch.business_date, batch.landed_path, rejected.state,
        (select string_agg(violation ->> 'message', '；') from jsonb_array_elements(rejected.violations) as violation)
            as messages
    from quarantine.rejected_row as rejected inner join ops.batch as batch using (batch_id)
    where rejected.record_key = %(key)s
    order by rejected.batch_id, rejected.source_row
"""

# A span is held from its first publication up to the one before it was closed; readers saw it while the pointer stood there.
_PUBLICATIONS = """
    with stored as (
        select valid_from_publication, valid_to_publication, status, batch_id, source_row, displayed_until
        from mart_store.queryable_credit_record where record_key = %(key)s
        -- Between archiving and removal a version is in both places.
        union
        select * from unnest(
            %(first)s::bigint[], %(end)s::bigint[], %(status)s::text[], %(batch)s::bigint[], %(row)s::bigint[],
            %(until)s::date[]
        )
    ),
    pointer as (
        select to_publication_id as publication_id, flipped_at,
            lead(flipped_at) over (order by flip_id) as until
        from ops.publication_flip
    )
    select
        stored.valid_from_publication, stored.valid_to_publication, stored.status, stored.batch_id, stored.source_row,
        stored.displayed_until, min(pointer.flipped_at) as shown_from,
        case when bool_or(pointer.until is null) then null else max(pointer.until) end as shown_until,
        count(pointer.publication_id) > 0 as was_shown
    from stored
    left join pointer on pointer.publication_id >= stored.valid_from_publication
        and (stored.valid_to_publication is null or pointer.publication_id < stored.valid_to_publication)
    group by stored.valid_from_publication, stored.valid_to_publication, stored.status, stored.batch_id,
        stored.source_row, stored.displayed_until
    order by stored.valid_from_publication
"""

_SENDINGS = """
    select package.platform, package.name, package.business_date, package.sent_at, package.state, item.operation,
        item.batch_id, item.source_row, item.call_back_reason, item.outcome, item.reject_reason
    from ops.exchange_item as item inner join ops.exchange_package as package using (package_id)
    where item.record_key = %(key)s
    order by package.platform, package.number
"""

_WHY_NOT = {
    "withdrawn": "报送部门已撤回",
    "revoked": "已撤销",
    "repaired": "已信用修复",
    "annulled": "异议成立，已移除",
    "outside_catalogue": "决定当日没有有效的目录事项和法律依据，或事项已退出目录",
    "unusable": "已过查询、使用期限",
    "ended": "已失效，仅可查询",
    "expired": "已过公示期限，仅可查询",
}


def _hidden(connection: psycopg.Connection, record_key: UUID, status: str) -> str | None:
    shown = connection.execute(
        "select status from mart.queryable_credit_record where record_key = %s", [record_key]
    ).fetchone()
    if shown is not None:
        return _WHY_NOT.get(shown[0])
    removal = connection.execute(
        "select kind, entered_at from ops.suppression where record_key = %s order by entered_at limit 1",
        [record_key],
    ).fetchone()
    if removal is not None:
        kinds = {
            "revocation": "revoked",
            "repair": "repaired",
            "objection_upheld": "annulled",
            "withdrawal": "withdrawn",
        }
        return f"{_WHY_NOT[kinds[removal[0]]]}（自 {removal[1]:%Y-%m-%d %H:%M:%S} 起即时生效）"
    return _WHY_NOT.get(status, "不在读者所见的发布批次中")


def _all(connection: psycopg.Connection, statement: str, record_key: UUID) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, {"key": record_key}).fetchall()
