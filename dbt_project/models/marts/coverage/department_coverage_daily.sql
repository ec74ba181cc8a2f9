{{ config(
    version_key=['business_date', 'feed'],
    version_indexes=[['department_code', 'business_date']],
    scope_model='affected_night',
    scope_key='business_date'
) }}
with settled_batch as (
    select * from {{ ref('settled_batch') }}
    where business_date <= {{ business_date() }}
),

batch as (
    select * from settled_batch
    where {{ is_affected('business_date', 'affected_night') }}
),

-- What the source answered in the end that night; a later answer replaces an earlier one.
answer as (
    select distinct on (business_date, feed)
        business_date,
        feed,
        state
    from {{ source('ops', 'outcome') }}
    where
        step = 'settle'
        and feed is not null
        and business_date <= {{ business_date() }}
        and {{ is_affected('business_date', 'affected_night') }}
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

-- What intake counted over every delivered row, rejected ones included; a file nobody could read has no profile.
profile as (
    select
        batch.business_date,
        batch.feed,
        sum(measured.value) filter (where measured.metric = 'duplicate_rows') as duplicate_rows,
        sum(measured.value) filter (where measured.metric = 'required_cells') as required_cells,
        sum(measured.value) filter (where measured.metric = 'required_filled_cells') as required_filled_cells,
        sum(measured.value) filter (where measured.metric = 'optional_cells') as optional_cells,
        sum(measured.value) filter (where measured.metric = 'optional_filled_cells') as optional_filled_cells,
        sum(measured.value) filter (where measured.metric = 'checked_rows') as checked_rows,
        sum(measured.value) filter (where measured.metric = 'contradicted_rows') as contradicted_rows
    from batch
    inner join {{ source('ops', 'batch_profile') }} as measured on batch.batch_id = measured.batch_id
    where
        measured.field = ''
        -- Batches of before these were counted would be in one count and not in the others.
        and batch.batch_id in (
            select counted.batch_id from {{ source('ops', 'batch_profile') }} as counted
            where counted.metric = 'checked_rows'
        )
    group by batch.business_date, batch.feed
),

-- The first delivery of a feed is its backlog: what it holds was decided before reporting began, and is timed by
-- nobody's clock.
content as (
    select
        business_date,
        feed,
        sum(landed_rows)::bigint as landed_rows,
        sum(misnamed_rows)::bigint as misnamed_rows,
        sum(matchable_rows)::bigint as matchable_rows,
        sum(matched_rows)::bigint as matched_rows,
        sum(new_records)::bigint as new_records,
        coalesce(sum(timed_records) filter (where not is_initial), 0)::bigint as timed_records,
        coalesce(sum(on_time_records) filter (where not is_initial), 0)::bigint as on_time_records
    from {{ ref('batch_count') }}
    where business_date <= {{ business_date() }} and {{ is_affected('business_date', 'affected_night') }}
    group by business_date, feed
),

freshness as (
    select
        night.business_date,
        night.feed,
        max(batch.delivered_for) as newest_delivered_for
    from night
    inner join settled_batch as batch on night.feed = batch.feed and night.business_date >= batch.business_date
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
        case
            when volume.delivered_rows = 0 then 0
            when volume.feed is null and answer.state in ('succeeded', 'unchanged') then 0
        end as nothing_to_count,
        volume.delivered_rows,
        volume.accepted_rows,
        volume.quarantined_rows,
        volume.refused_rows,
        profile.duplicate_rows,
        profile.required_cells,
        profile.required_filled_cells,
        profile.optional_cells,
        profile.optional_filled_cells,
        profile.checked_rows,
        profile.checked_rows - profile.contradicted_rows - coalesce(content.misnamed_rows, 0) as accurate_rows,
        content.landed_rows,
        content.matchable_rows,
        content.matched_rows,
        content.new_records,
        content.timed_records,
        content.on_time_records,
        freshness.newest_delivered_for
    from night
    left join answer on night.business_date = answer.business_date and night.feed = answer.feed
    left join volume on night.business_date = volume.business_date and night.feed = volume.feed
    left join profile on night.business_date = profile.business_date and night.feed = profile.feed
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
        feed.report_sla_workdays,
        coalesce(counted.landed_rows, counted.known_zero)::bigint as landed_rows,
        coalesce(counted.duplicate_rows, counted.nothing_to_count)::bigint as duplicate_rows,
        coalesce(counted.required_cells, counted.nothing_to_count)::bigint as required_cells,
        coalesce(counted.required_filled_cells, counted.nothing_to_count)::bigint as required_filled_cells,
        coalesce(counted.optional_cells, counted.nothing_to_count)::bigint as optional_cells,
        coalesce(counted.optional_filled_cells, counted.nothing_to_count)::bigint as optional_filled_cells,
        coalesce(counted.checked_rows, counted.nothing_to_count)::bigint as checked_rows,
        coalesce(counted.accurate_rows, counted.nothing_to_count)::bigint as accurate_rows
    from counted
    inner join feed on counted.feed = feed.feed
    inner join department on feed.department_code = department.department_code
)

select * from final
