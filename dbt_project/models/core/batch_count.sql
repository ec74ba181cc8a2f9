{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_batch',
    scope_key='batch_id',
    on_schema_change='fail'
) }}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'batch_count') is none %}
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

landed as (
    select
        batch_id,
        source_row,
        subject_key,
        subject_type,
        name_key
    from {{ ref('delivered_row') }}
    where {{ is_affected_in_union('batch_id', 'affected_batch') }}
),

-- Rows of records and registers, and changes of records, which land as events.
landing as (
    select
        batch_id,
        count(*) as landed_rows
    from (
        select batch_id from landed
        union all
        select batch_id
        from {{ source('ops', 'record_event') }}
        where batch_id is not null and {{ is_affected('batch_id', 'affected_batch') }}
    ) as landed_row
    group by batch_id
),

-- Names the registers of organisations had given by a night.
registered as (
    select
        entry.subject_key,
        entry.name_key,
        min(batch.business_date) as named_since
    from {{ ref('delivered_row') }} as entry
    inner join {{ ref('settled_batch') }} as batch on entry.batch_id = batch.batch_id
    where
        entry.is_register
        and entry.subject_type = 'organisation'
        and entry.name_key is not null
        and batch.state = 'accepted'
        and (
            {{ everything }}
            or entry.subject_key = any(array(
                select landed.subject_key from landed
                where landed.subject_type = 'organisation' and landed.name_key is not null
            ))
        )
    group by entry.subject_key, entry.name_key
),

-- Windows and no joins: the planner knows the size of neither side, and a nested loop would take a day.
named as (
    select
        batch_id,
        business_date,
        min(registered_on) over (partition by subject_key) as subject_since,
        min(registered_on) over (partition by subject_key, name_key) as name_since
    from (
        select
            landed.batch_id,
            batch.business_date,
            landed.subject_key,
            landed.name_key,
            null::date as registered_on
        from landed
        inner join batch on landed.batch_id = batch.batch_id
        where landed.subject_type = 'organisation' and landed.name_key is not null
        union all
        select
            null as batch_id,
            null as business_date,
            subject_key,
            name_key,
            named_since as registered_on
        from registered
    ) as naming
),

-- A row whose identifier a register has named by then, and never by the name the row gives.
misnaming as (
    select
        batch_id,
        count(*) as misnamed_rows
    from named
    where
        batch_id is not null
        and subject_since <= business_date
        and (name_since is null or name_since > business_date)
    group by batch_id
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
        coalesce(landing.landed_rows, 0)::bigint as landed_rows,
        coalesce(misnaming.misnamed_rows, 0)::bigint as misnamed_rows,
        coalesce(matching.matchable_rows, 0)::bigint as matchable_rows,
        coalesce(matching.matched_rows, 0)::bigint as matched_rows,
        coalesce(arrival.new_records, 0)::bigint as new_records,
        coalesce(arrival.timed_records, 0)::bigint as timed_records,
        coalesce(arrival.on_time_records, 0)::bigint as on_time_records
    from batch
    left join landing on batch.batch_id = landing.batch_id
    left join misnaming on batch.batch_id = misnaming.batch_id
    left join matching on batch.batch_id = matching.batch_id
    left join arrival on batch.batch_id = arrival.batch_id
)

select * from final
