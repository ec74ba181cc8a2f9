{{ config(
    version_key=['business_date', 'feed', 'district_code', 'delay_workdays'],
    scope_model='affected_night',
    scope_key='business_date'
) }}
-- The first delivery of a feed is its backlog and timed by nobody's clock.
with batch as (
    select
        batch_id,
        business_date,
        feed
    from {{ ref('settled_batch') }}
    where
        state = 'accepted'
        and not is_initial
        and business_date <= {{ business_date() }}
        and {{ is_affected('business_date', 'affected_night') }}
),

arrival as (
    select
        batch.business_date,
        batch.feed,
        coalesce(record.authority_name, '') as authority_name,
        record.delay_workdays,
        count(*) as records,
        count(*) filter (where record.is_on_time) as on_time_records
    from batch
    inner join {{ ref('credit_record') }} as record on batch.batch_id = record.first_batch_id
    where record.is_on_time is not null
    group by batch.business_date, batch.feed, coalesce(record.authority_name, ''), record.delay_workdays
),

authority as (
    select distinct authority_name from arrival
),

placed as (
    {{ districts_of('authority') }}
),

final as (
    select
        arrival.business_date,
        arrival.feed,
        placed.district_code,
        arrival.delay_workdays,
        sum(arrival.records)::bigint as records,
        sum(arrival.on_time_records)::bigint as on_time_records
    from arrival
    inner join placed on arrival.authority_name = placed.authority_name
    group by arrival.business_date, arrival.feed, placed.district_code, arrival.delay_workdays
)

select * from final
