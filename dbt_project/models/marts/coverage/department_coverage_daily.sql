{{ config(version_key=['business_date', 'feed'], version_indexes=[['department_code', 'business_date']]) }}
with batch as (
    select * from {{ ref('settled_batch') }}
    where business_date <= {{ business_date() }}
),

-- What the source answered in the end that night; a later answer replaces an earlier one.
answer as (
    select distinct on (business_date, feed)
        business_date,
        feed,
        state
    from {{ source('ops', 'outcome') }}
    where step = 'settle' and feed is not null and business_date <= {{ business_date() }}
    order by business_date asc, feed asc, outcome_id desc
),

night as (
    select
        business_date,
        feed
    from batch
    union
    select
        business_date,
        feed
    from answer
),

volume as (
    select
        business_date,
        feed,
        count(*) as batches,
        sum(delivered_rows)::bigint as delivered_rows,
        sum(accepted_rows)::bigint as accepted_rows,
        sum(quarantined_rows)::bigint as quarantined_rows,
        sum(refused_rows)::bigint as refused_rows
    from batch
    where delivered_rows is not null
    group by business_date, feed
),

-- The first delivery of a feed is its backlog: what it holds was decided before reporting began, and is timed by
-- nobody's clock.
content as (
    select
        business_date,
        feed,
        sum(matchable_rows)::bigint as matchable_rows,
        sum(matched_rows)::bigint as matched_rows,
        sum(new_records)::bigint as new_records,
        coalesce(sum(timed_records) filter (where not is_initial), 0)::bigint as timed_records,
        coalesce(sum(on_time_records) filter (where not is_initial), 0)::bigint as on_time_records
    from {{ ref('batch_count') }}
    where business_date <= {{ business_date() }}
    group by business_date, feed
),

freshness as (
    select
        night.business_date,
        night.feed,
        max(batch.delivered_for) as newest_delivered_for
    from night
    inner join batch on night.feed = batch.feed and night.business_date >= batch.business_date
    where batch.state = 'accepted'
    group by night.business_date, night.feed
),

counted as (
    select
        night.business_date,
        night.feed,
        answer.state as answer_state,
        volume.batches,
        -- Nothing delivered is a zero only where the source said that there was nothing.
        case when volume.feed is not null or answer.state in ('succeeded', 'unchanged') then 0 end as known_zero,
        volume.delivered_rows,
        volume.accepted_rows,
        volume.quarantined_rows,
        volume.refused_rows,
        content.matchable_rows,
        content.matched_rows,
        content.new_records,
        content.timed_records,
        content.on_time_records,
        freshness.newest_delivered_for
    from night
    left join answer on night.business_date = answer.business_date and night.feed = answer.feed
    left join volume on night.business_date = volume.business_date and night.feed = volume.feed
    left join content on night.business_date = content.business_date and night.feed = content.feed
    left join freshness on night.business_date = freshness.business_date and night.feed = freshness.feed
),

feed as (
    select * from {{ ref('feed') }}
),

department as (
    select * from {{ ref('department') }}
),

final as (
    select
        counted.business_date,
        feed.department_code,
        department.department_name,
        feed.source,
        counted.feed,
        feed.feed_label,
        counted.answer_state,
        coalesce(counted.batches, counted.known_zero) as batches,
        coalesce(counted.delivered_rows, counted.known_zero) as delivered_rows,
        coalesce(counted.accepted_rows, counted.known_zero) as accepted_rows,
        coalesce(counted.quarantined_rows, counted.known_zero) as quarantined_rows,
        coalesce(counted.refused_rows, counted.known_zero) as refused_rows,
        coalesce(counted.quarantined_rows + counted.refused_rows, counted.known_zero) as rejected_rows,
        coalesce(counted.new_records, counted.known_zero) as new_records,
        coalesce(counted.timed_records, counted.known_zero) as timed_records,
        coalesce(counted.on_time_records, counted.known_zero) as on_time_records,
        coalesce(counted.timed_records - counted.on_time_records, counted.known_zero) as late_records,
        coalesce(counted.matchable_rows, counted.known_zero) as matchable_rows,
        coalesce(counted.matched_rows, counted.known_zero) as matched_rows,
        coalesce(counted.matchable_rows - counted.matched_rows, counted.known_zero) as unmatched_rows,
        counted.newest_delivered_for,
        counted.business_date - counted.newest_delivered_for as freshness_days,
        feed.max_age_days,
        feed.report_sla_workdays
    from counted
    inner join feed on counted.feed = feed.feed
    inner join department on feed.department_code = department.department_code
)

select * from final
