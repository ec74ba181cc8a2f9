"""Clocks: what the law or the department took away is gone, and what is shown is not stale (DOMAIN.md §4.4, §4.5)."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.quality.candidate import Candidate, FeedTerms
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Severity
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import changed_rows, held_rows, included_batches
from expectations.wording import told


def expectations(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """Time passes for every record, changed or not: its clocks are judged on the whole."""
    yield _display_period(candidate)
    yield _withdrawn(candidate)
    yield _removed(candidate)
    for terms in candidate.feeds:
        yield _freshness(candidate, terms)
    yield _never_delivered(candidate)


def _display_period(candidate: Candidate) -> ExpectNoRows:
    day, expectation_id = f"date '{candidate.business_date}'", "publication.credit_record.display_period"
    keys = "record_key, feed, batch_id, source_row, displayed_until"
    # What time alone does is asked of every row, by its clock's index; that a row's clocks are the rule's, of the changed.
    over = (
        ("usable_until", ""),
        ("displayed_until", "and status = 'in_force'"),
        ("ended_on", "and status = 'in_force'"),
    )
    passed = " union ".join(
        f"select {keys} from mart_store.queryable_credit_record where valid_to_publication is null"
        f" and {clock} < {day} {which}"
        for clock, which in over
    )
    return ExpectNoRows(
        unexpected_rows_query=f"""
            {passed}
            union
            select changed.record_key, changed.feed, changed.batch_id, changed.source_row, changed.displayed_until
            from {changed_rows(candidate, "queryable_credit_record", expectation_id)}
            left join mart.catalogue_item as item
                on changed.catalogue_item_code = item.catalogue_item_code and changed.catalogue_version = item.version
            left join ops.display_rule as rule
                on item.display_class = rule.display_class and changed.severity = rule.severity
                and changed.decision_date between rule.valid_from and coalesce(rule.valid_to, 'infinity')
            where changed.status = 'in_force'
                and (
                    changed.valid_until < {day}
                    or changed.display_started_on + make_interval(months => rule.max_months) < {day}
                    or not rule.shown
                    -- What nights to come will go by.
                    or changed.ended_on is distinct from least(changed.removed_on, changed.valid_until + 1)
                    or coalesce(changed.displayed_until, 'infinity')
                    > changed.display_started_on + make_interval(months => rule.max_months)
                )
        """,
        **told(
            expectation_id,
            "不得公示已过公示期限或有效期的记录，不得提供已过使用期限的记录",
            "本中心全量重新构建候选批次（--full-refresh）；仍存在的，排查到期计算。到期记录一律停止公示。",
            unit=Unit.RECORDS,
            waivable=False,
        ),
    )


def _withdrawn(candidate: Candidate) -> ExpectNoRows:
    """Asked of the delivered rows themselves, so that an error in core shows: a later version takes the record back."""
    expectation_id = "publication.credit_record.withdrawn"
    since = candidate.changed_since(expectation_id)
    return ExpectNoRows(
        unexpected_rows_query=f"""
            with included as ({included_batches(candidate)}),
            newer as (
                select batch_id from included inner join ops.publication_batch using (batch_id)
                where publication_id > {since}
            ),
            renewed as (select record_key from {changed_rows(candidate, "queryable_credit_record", expectation_id)}),
            withdrawal as (
                select * from core.credit_record_delivery
                where is_withdrawal and batch_id = any(array(select newer.batch_id from newer))
                union
                select * from core.credit_record_delivery
                where is_withdrawal and {since} > 0 and record_key = any(array(select renewed.record_key from renewed))
            )
            select record.record_key, record.feed, withdrawal.batch_id, withdrawal.source_row
            from withdrawal
            inner join (select * from {held_rows(candidate, "queryable_credit_record")}) as record
                on withdrawal.record_key = record.record_key
            where withdrawal.batch_id in (select included.batch_id from included)
                and (withdrawal.delivered_for, withdrawal.updated_at, withdrawal.batch_id, withdrawal.source_row)
                >= (record.delivered_for, record.updated_at, record.batch_id, record.source_row)
        """,
        **told(
            expectation_id,
            "不得发布部门已撤销的记录",
            "本中心全量重新构建候选批次（--full-refresh）；仍存在的，排查撤销处理。撤销须在三日内生效（行政处罚法第四十八条）。",
            unit=Unit.RECORDS,
            waivable=False,
        ),
    )


def _removed(candidate: Candidate) -> ExpectNoRows:
    """Asked of the changes themselves: the last one by day of effect says that the record is away."""
    return ExpectNoRows(
        unexpected_rows_query=f"""
            with last as (
                select distinct on (record_key) record_key, event_id, kind from ops.record_event
                where kind in ('revocation', 'repair', 'objection_upheld', 'correction', 'reinstatement')
                    and event_id <= (
                        select events_through from ops.publication where publication_id = {candidate.publication_id}
                    )
                order by record_key, effective_on desc, event_id desc
            )
            select held.record_key, held.feed, held.batch_id, held.source_row, last.event_id
            from {held_rows(candidate, "queryable_credit_record")}
            inner join last on held.record_key = last.record_key
            where last.kind in ('revocation', 'repair', 'objection_upheld')
        """,
        **told(
            "publication.credit_record.removed",
            "不得发布已撤销、已修复或异议成立的记录",
            "本中心全量重新构建候选批次（--full-refresh）；仍存在的，排查变更处理。读者视图已即时屏蔽这些记录。",
            unit=Unit.RECORDS,
            waivable=False,
        ),
    )


def _freshness(candidate: Candidate, terms: FeedTerms) -> ExpectNoRows:
    longest = figure(terms.max_age_days, Unit.DAYS)
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select feed, max(delivered_for) as newest, date '{candidate.business_date}' - max(delivered_for) as age_days
            from ops.batch
            where feed = '{terms.feed}' and state = 'accepted'
            group by feed
            having date '{candidate.business_date}' - max(delivered_for) > {terms.max_age_days}
        """,
        **told(
            f"publication.freshness.{terms.feed}",
            f"{terms.label}（{terms.feed}）最新数据距业务日期应不超过 {longest}（合同 maxAgeDays）",
            f"请{terms.department}尽快补报；短期内无法补报的，由本中心登记豁免（注明原因、负责人、期限）后重新检查。",
            expected=f"≤ {longest}",
            unit=Unit.DAYS,
            observed="age_days",
            feed=terms.feed,
        ),
    )


def _never_delivered(candidate: Candidate) -> ExpectNoRows:
    """A feed that has not begun yet has no age; it is told every night until it begins."""
    return ExpectNoRows(
        unexpected_rows_query="""
            select feed from ops.feed
            where is_active and not exists (
                select from ops.batch where batch.feed = feed.feed and batch.state = 'accepted'
            )
        """,
        **told(
            "publication.feeds.never_delivered",
            "每个已签订合同的数据项都应有已接收的数据",
            "请有关部门完成首次报送；尚未开通的，由本中心停用该合同。",
            unit=Unit.FEEDS,
            severity=Severity.WARN,
        ),
    )
