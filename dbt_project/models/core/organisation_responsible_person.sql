{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_record',
    scope_key='record_key',
    on_schema_change='fail',
    indexes=[{'columns': ['record_key']}, {'columns': ['subject_key']}, {'columns': ['person_subject_key']}]
) }}
with record as (
    select
        record_key,
        subject_key,
        batch_id,
        source_row
    from {{ ref('credit_record') }}
    where
        {{ is_affected('record_key', 'affected_record') }}
        and status in {{ queryable_statuses() }}
        and subject_type = 'organisation'
),

responsible as (
    select * from {{ ref('responsible_person_delivery') }}
    where {{ is_affected_in_union('record_key', 'affected_record') }}
),

-- A name is no identifier: where only a name is carried, the person stays unlinked.
final as (
    select
        record.record_key,
        responsible.role,
        record.subject_key,
        responsible.person_subject_key,
        responsible.person_name,
        responsible.valid_from,
        responsible.valid_until
    from record
    inner join responsible
        on
            record.record_key = responsible.record_key
            and record.batch_id = responsible.batch_id
            and record.source_row = responsible.source_row
)

select * from final
