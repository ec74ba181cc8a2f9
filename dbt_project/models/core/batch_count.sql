{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_batch',
    scope_key='batch_id',
    on_schema_change='fail'
) }}
with batch as (
    select * from {{ ref('settled_batch') }}
    where state = 'accepted' and {{ is_affected('batch_id', 'affected_batch') }}
),

delivery as (
    select
        batch_id,
        subject_key,
        subject_type,
        business_date
    from {{ ref('row_subject') }}
    where {{ is_affected('batch_id', 'affected_batch') }}
),

subject as (
    select * from {{ ref('subject') }}
),

-- Known = named by the register in or before the night that took the row. Persons have no register here.
matching as (
    select
        delivery.batch_id,
        count(*) filter (where delivery.subject_type = 'organisation') as matchable_rows,
        count(*) filter (
            where delivery.subject_type = 'organisation' and subject.known_since <= delivery.business_date
        ) as matched_rows
    from delivery
    left join subject on delivery.subject_key = subject.subject_key
    group by delivery.batch_id
),

-- A correction of a record that is already here is not reported a second time.
arrival as (
    select
        first_batch_id as batch_id,
        count(*) as new_records,
        count(is_on_time) as timed_records,
        count(*) filter (where is_on_time) as on_time_records
    from {{ ref('credit_record') }}
    where {{ is_affected('first_batch_id', 'affected_batch', 'batch_id') }}
    group by first_batch_id
),

final as (
    select
        batch.batch_id,
        batch.feed,
        batch.business_date,
        batch.delivered_for,
        batch.is_initial,
        coalesce(matching.matchable_rows, 0)::bigint as matchable_rows,
        coalesce(matching.matched_rows, 0)::bigint as matched_rows,
        coalesce(arrival.new_records, 0)::bigint as new_records,
        coalesce(arrival.timed_records, 0)::bigint as timed_records,
        coalesce(arrival.on_time_records, 0)::bigint as on_time_records
    from batch
    left join matching on batch.batch_id = matching.batch_id
    left join arrival on batch.batch_id = arrival.batch_id
)

select * from final
