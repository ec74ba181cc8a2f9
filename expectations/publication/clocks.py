"""Clocks: what the law or the department took away is gone, and what is shown is not stale (DOMAIN.md §4.4, §4.5)."""

from __future__ import annotations

from collections.abc import Iterator

from credit_warehouse.quality.candidate import Candidate, FeedTerms
from credit_warehouse.quality.figures import Unit, figure
from credit_warehouse.quality.findings import Severity
from expectations.no_rows import ExpectNoRows
from expectations.publication.changes import included_batches
from expectations.wording import told


def expectations(candidate: Candidate) -> Iterator[ExpectNoRows]:
    """Time passes for every record, changed or not: judged on the whole."""
    yield _display_period(candidate)
    yield _withdrawn(candidate)
    for terms in candidate.feeds:
        yield _freshness(candidate, terms)
    yield _never_delivered(candidate)


def _display_period(candidate: Candidate) -> ExpectNoRows:
    day = f"date '{candidate.business_date}'"
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select record.record_key, record.feed, record.batch_id, record.source_row, record.displayed_until
            from mart.credit_record as record
            left join mart.catalogue_item as item on record.feed = item.feed
            where record.displayed_until < {day}
                or record.valid_until < {day}
                or (
                    record.effect = 'adverse'
                    and record.decision_date + make_interval(months => item.display_months) < {day}
                )
        """,
        **told(
            "publication.credit_record.display_period",
            "不得发布已过公示期限或有效期的记录",
            "本中心全量重新构建候选批次（--full-refresh）；仍存在的，排查到期计算。到期记录一律停止公示。",
            unit=Unit.RECORDS,
            waivable=False,
        ),
    )


def _withdrawn(candidate: Candidate) -> ExpectNoRows:
    """Asked of the delivered rows themselves, so that an error in core shows: a later version takes the record back."""
    return ExpectNoRows(
        unexpected_rows_query=f"""
            select record.record_key, record.feed, withdrawal.batch_id, withdrawal.source_row
            from core.credit_record_delivery as withdrawal
            inner join mart.credit_record as record on withdrawal.record_key = record.record_key
            where withdrawal.is_withdrawal
                and withdrawal.batch_id in ({included_batches(candidate)})
                and (withdrawal.delivered_for, withdrawal.updated_at, withdrawal.batch_id, withdrawal.source_row)
                >= (record.delivered_for, record.updated_at, record.batch_id, record.source_row)
        """,
        **told(
            "publication.credit_record.withdrawn",
            "不得发布部门已撤销的记录",
            "本中心全量重新构建候选批次（--full-refresh）；仍存在的，排查撤销处理。撤销须在三日内生效（行政处罚法第四十八条）。",
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
            f"{terms.label}（{terms.feed}）最新数据距业务日期应不超过 {longest}（合同 reporting.maxAgeDays）",
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
