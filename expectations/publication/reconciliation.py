"""Nothing lost, nothing doubled: ledger, core and marts count the same rows."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.quality.candidate import Candidate, versions_since
from credit_warehouse.quality.figures import Unit
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import held_rows, included_batches
from expectations.wording import told

_REBUILD = "本中心重新构建候选批次（全量：--full-refresh）；仍不一致的，排查转换程序。部门无需处理。"


def expectations(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """All of them block."""
    yield ExpectNoRows(
        unexpected_rows_query="""
            select batch_id, feed, delivered_rows, accepted_rows, quarantined_rows, refused_rows
            from ops.batch
            where state in ('accepted', 'refused')
                and (delivered_rows = accepted_rows + quarantined_rows + refused_rows) is not true
        """,
        **told(
            "publication.ledger.balance",
            "每一批次的交付行数应等于入库、隔离、拒收行数之和",
            "本中心核对该批次的装载日志并更正台账后重新构建；部门无需处理。",
            unit=Unit.BATCHES,
        ),
    )
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with included as (
                select batch.batch_id, batch.feed, batch.accepted_rows
                from ops.publication_batch inner join ops.batch using (batch_id)
                inner join ops.feed on batch.feed = feed.feed and feed.brings = 'records'
                where publication_batch.publication_id = {candidate.publication_id} and batch.state = 'accepted'
            ),
            present as (
                select batch_id, count(*) as present_rows from core.delivered_row
                where batch_id = any(array(select included.batch_id from included)) group by batch_id
            )
            select included.batch_id, included.feed, included.accepted_rows, coalesce(present_rows, 0) as present_rows
            from included left join present using (batch_id)
            where included.accepted_rows <> coalesce(present_rows, 0)
        """,
        **told(
            "publication.ledger.accepted_rows",
            "本次纳入批次的入库行数应与可读取的原始行数一致",
            "本中心核对该批次是否装载完整，必要时重新装载；部门无需处理。",
            unit=Unit.BATCHES,
        ),
    )
    since = candidate.changed_since("publication.core.versions")
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with included as (
                select batch.batch_id, feed.records_of, batch.accepted_rows
                from ops.publication_batch inner join ops.batch using (batch_id) inner join ops.feed using (feed)
                where publication_batch.publication_id > {since} and batch.batch_id in ({included_batches(candidate)})
                    and feed.is_active and feed.brings = 'records'
            ),
            resolved as (
                select batch_id, count(*) as resolved_rows from core.row_subject
                where batch_id in (select included.batch_id from included) group by batch_id
            ),
            -- Of the records at hand: core changes no other.
            told as (
                select record_key, count(*) as rows_told from core.row_subject
                where record_key in (select record_key from core.affected_record) group by record_key
            ),
            recorded as (
                select record_key, feed, versions from core.credit_record
                where record_key in (select record_key from core.affected_record)
            )
            select records_of as feed, included.accepted_rows, coalesce(resolved_rows, 0) as recorded_rows
            from included left join resolved using (batch_id)
            where included.accepted_rows <> coalesce(resolved_rows, 0)
            union all
            select feed, sum(coalesce(rows_told, 0))::bigint, sum(coalesce(versions, 0))::bigint
            from told full join recorded using (record_key)
            where coalesce(rows_told, 0) <> coalesce(versions, 0)
            group by feed
        """,
        **told(
            "publication.core.versions",
            "各数据项在核心层的记录版本数之和应等于已接收批次的入库行数之和",
            _REBUILD,
            unit=Unit.FEEDS,
        ),
    )
    since = candidate.changed_since("publication.credit_record.matches_core")
    at_hand = f"""record_key in (
                select record_key from core.affected_record
                union
                select record_key from mart_store.queryable_credit_record
                where valid_from_publication > {since} or valid_to_publication > {since}
            )"""
    # Where all are to be judged there is nothing to pick out.
    judged = at_hand if since else "true"
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with built as (
                select record_key, feed, status from core.credit_record
                where status in ('in_force', 'ended', 'expired') and {judged}
            ),
            shown as (
                select record_key, feed, status
                from {held_rows(candidate, "queryable_credit_record")}
                where {judged}
            )
            select
                coalesce(built.feed, shown.feed) as feed, coalesce(built.status, shown.status) as status,
                count(built.record_key) as core_rows, count(shown.record_key) as mart_rows
            from built full join shown using (record_key)
            where built.status is distinct from shown.status or built.feed <> shown.feed
            group by 1, 2
        """,
        **told(
            "publication.credit_record.matches_core",
            "各数据项各状态的信用记录数应与核心层一致",
            _REBUILD,
            unit=Unit.FEEDS,
        ),
    )
    yield from _profile(candidate)
    yield from _coverage(candidate)


def _profile(candidate: Candidate) -> Iterator[ExpectNoRows]:
    expectation_id = "publication.subject_credit_profile.counts"
    # Equal when they last held, so equal still where both changed by the same: the records that did not change are not read.
    since = candidate.changed_since(expectation_id)
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with profile as (
                select
                    subject_key, sum(sign * records_in_force) as total, sum(sign * adverse_records) as adverse,
                    sum(sign * neutral_records) as neutral, sum(sign * positive_records) as positive
                from ({versions_since("subject_credit_profile", since, candidate.publication_id)}) as version
                group by subject_key
            ),
            record as (
                select
                    subject_key, sum(sign) as total,
                    coalesce(sum(sign) filter (where effect = 'adverse'), 0) as adverse,
                    coalesce(sum(sign) filter (where effect = 'neutral'), 0) as neutral,
                    coalesce(sum(sign) filter (where effect = 'positive'), 0) as positive
                from ({versions_since("queryable_credit_record", since, candidate.publication_id)}) as version
                where status = 'in_force' and subject_key is not null group by subject_key
            ),
            differing as (
                select subject_key from profile full join record using (subject_key)
                where (
                        coalesce(profile.total, 0), coalesce(profile.adverse, 0),
                        coalesce(profile.neutral, 0), coalesce(profile.positive, 0)
                    ) <> (
                        coalesce(record.total, 0), coalesce(record.adverse, 0),
                        coalesce(record.neutral, 0), coalesce(record.positive, 0)
                    )
            )
            select
                subject_key,
                coalesce((
                    select records_in_force from {held_rows(candidate, "subject_credit_profile")}
                    where held.subject_key = differing.subject_key
                ), 0) as profile_records,
                (
                    select count(*) from {held_rows(candidate, "queryable_credit_record")}
                    where held.subject_key = differing.subject_key and status = 'in_force'
                ) as credit_records
            from differing
        """,
        **told(
            expectation_id,
            "主体信用档案的记录数（总数、不良、中性、良好）应与其在效信用记录一致",
            _REBUILD,
            unit=Unit.SUBJECTS,
        ),
    )
    since = candidate.changed_since("publication.subject_credit_profile.total")
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with profile as ({versions_since("subject_credit_profile", since, candidate.publication_id)}),
            record as ({versions_since("queryable_credit_record", since, candidate.publication_id)}),
            total as (
                select
                    (select coalesce(sum(sign * records_in_force), 0) from profile) as profile_records,
                    (
                        select coalesce(sum(sign), 0) from record where status = 'in_force' and subject_key is not null
                    ) as credit_records
            )
            select profile_records, credit_records, abs(profile_records - credit_records) as difference
            from total where profile_records <> credit_records
        """,
        **told(
            "publication.subject_credit_profile.total",
            "全部档案的在效记录数之和与有主体的在效信用记录数之差应为 0",
            _REBUILD,
            unit=Unit.RECORDS,
            observed="difference",
        ),
    )


def _coverage(candidate: Candidate) -> Iterator[ExpectNoRows]:
    yield ExpectNoRows(
        unexpected_rows_query=f"""
            with ledger as (
                select
                    business_date, feed, sum(delivered_rows) as delivered, sum(accepted_rows) as accepted,
                    sum(quarantined_rows) as quarantined, sum(refused_rows) as refused
                from ops.batch
                where delivered_rows is not null and business_date <= date '{candidate.business_date}'
                    and feed in (select active.feed from ops.feed as active where active.is_active)
                group by business_date, feed
            ),
            shown as (
                select business_date, feed, delivered_rows, accepted_rows, quarantined_rows, refused_rows
                from mart.department_coverage_daily
            )
            select
                business_date, feed, coalesce(delivered, 0) as ledger_delivered, coalesce(delivered_rows, 0) as mart_delivered
            from ledger full join shown using (business_date, feed)
            where (coalesce(delivered, 0), coalesce(accepted, 0), coalesce(quarantined, 0), coalesce(refused, 0))
                <> (
                    coalesce(delivered_rows, 0), coalesce(accepted_rows, 0),
                    coalesce(quarantined_rows, 0), coalesce(refused_rows, 0)
                )
                and not exists (
                    select from ops.batch as later
                    inner join ops.publication on later.received_at >= publication.opened_at
                    where publication.publication_id = {candidate.publication_id}
                        and later.feed = coalesce(ledger.feed, shown.feed)
                        and later.business_date = coalesce(ledger.business_date, shown.business_date)
                )
        """,
        **told(
            "publication.department_coverage_daily.ledger",
            "部门报送统计的交付、入库、隔离、拒收行数应与批次台账一致",
            _REBUILD,
        ),
    )
    yield ExpectNoRows(
        unexpected_rows_query="""
            select business_date, feed from mart.department_coverage_daily
            where least(
                    delivered_rows, accepted_rows, quarantined_rows, refused_rows, on_time_records, timed_records,
                    matched_rows, matchable_rows
                ) < 0
                or on_time_records > timed_records
                or timed_records > new_records
                or matched_rows > matchable_rows
                or matchable_rows > accepted_rows
                or accepted_rows > delivered_rows
                or delivered_rows <> accepted_rows + rejected_rows
                or (on_time_records is null) <> (timed_records is null)
                or (matched_rows is null) <> (matchable_rows is null)
        """,
        **told(
            "publication.department_coverage_daily.shares",
            "合规率、及时率、关联率应在 0 到 100% 之间且分母明确：分子不大于分母，均不为负，有分子必有分母",
            "本中心排查部门报送统计的转换程序并重新构建；部门无需处理。",
        ),
    )
