{{ config(
    version_key=['business_date', 'feed', 'district_code'],
    scope_model='affected_night',
    scope_key='business_date'
) }}
with batch as (
    select * from {{ ref('settled_batch') }}
    where business_date <= {{ business_date() }} and {{ is_affected('business_date', 'affected_night') }}
),

accepted as (
    select
        delivery.batch_id,
        coalesce(delivery.authority_name, '') as authority_name,
        count(*) as accepted_rows
    from {{ ref('credit_record_delivery') }} as delivery
    where delivery.batch_id = any(array(select batch.batch_id from batch))
    group by delivery.batch_id, coalesce(delivery.authority_name, '')
),

rejected as (
    select
        batch.batch_id,
        coalesce(row_back.payload ->> feed.authority_header, '') as authority_name,
        count(*) as rejected_rows
    from batch
    inner join {{ ref('feed') }} as feed on batch.feed = feed.feed
    inner join {{ source('quarantine', 'rejected_row') }} as row_back on batch.batch_id = row_back.batch_id
    where batch.state = 'accepted'
    group by batch.batch_id, coalesce(row_back.payload ->> feed.authority_header, '')
),

arrival as (
    select
        batch.batch_id,
        coalesce(record.authority_name, '') as authority_name,
        count(*) as new_records,
        count(record.is_on_time) filter (where not batch.is_initial) as timed_records,
        count(*) filter (where record.is_on_time and not batch.is_initial) as on_time_records
    from batch
    inner join {{ ref('credit_record') }} as record on batch.batch_id = record.first_batch_id
    where batch.state = 'accepted'
    group by batch.batch_id, coalesce(record.authority_name, '')
),

authority as (
    select authority_name from accepted
    union
    select authority_name from rejected
    union
    select authority_name from arrival
),

placed as (
    {{ districts_of('authority') }}
),

accepted_total as (
    select
        batch_id,
        sum(accepted_rows) as accepted_rows
    from accepted
    group by batch_id
),

rejected_total as (
    select
        batch_id,
        sum(rejected_rows) as rejected_rows
    from rejected
    group by batch_id
),

-- What names no authority, or names it nowhere we could read, is the city's own; a batch refused as a whole was not
-- read row by row.
counted as (
    select
        accepted.batch_id,
        placed.district_code,
        accepted.accepted_rows,
        0 as rejected_rows,
        0 as new_records,
        0 as timed_records,
        0 as on_time_records
    from accepted
    inner join placed on accepted.authority_name = placed.authority_name
    union all
    select
        rejected.batch_id,
        placed.district_code,
        0 as accepted_rows,
        rejected.rejected_rows,
        0 as new_records,
        0 as timed_records,
        0 as on_time_records
    from rejected
    inner join placed on rejected.authority_name = placed.authority_name
    union all
    select
        arrival.batch_id,
        placed.district_code,
        0 as accepted_rows,
        0 as rejected_rows,
        arrival.new_records,
        arrival.timed_records,
        arrival.on_time_records
    from arrival
    inner join placed on arrival.authority_name = placed.authority_name
    union all
    select
        batch.batch_id,
        'city' as district_code,
        batch.accepted_rows - coalesce(accepted_total.accepted_rows, 0) as accepted_rows,
        batch.quarantined_rows - coalesce(rejected_total.rejected_rows, 0) as rejected_rows,
        0 as new_records,
        0 as timed_records,
        0 as on_time_records
    from batch
    left join accepted_total on batch.batch_id = accepted_total.batch_id
    left join rejected_total on batch.batch_id = rejected_total.batch_id
    where batch.state = 'accepted'
    union all
    select
        batch.batch_id,
        'unknown' as district_code,
        0 as accepted_rows,
        batch.quarantined_rows + batch.refused_rows as rejected_rows,
        0 as new_records,
        0 as timed_records,
        0 as on_time_records
    from batch
    where batch.state = 'refused'
),

final as (
    select
        batch.business_date,
        batch.feed,
        counted.district_code,
        sum(counted.accepted_rows + counted.rejected_rows)::bigint as delivered_rows,
        sum(counted.accepted_rows)::bigint as accepted_rows,
        sum(counted.rejected_rows)::bigint as rejected_rows,
        sum(counted.new_records)::bigint as new_records,
        sum(counted.timed_records)::bigint as timed_records,
        sum(counted.on_time_records)::bigint as on_time_records
    from counted
    inner join batch on counted.batch_id = batch.batch_id
    group by batch.business_date, batch.feed, counted.district_code
    having sum(counted.accepted_rows + counted.rejected_rows + counted.new_records) > 0
)

select * from final
