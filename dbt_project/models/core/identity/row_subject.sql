{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_record',
    scope_key='record_key',
    on_schema_change='fail',
    post_hook='analyze {{ this }}',
    indexes=[
        {'columns': ['batch_id', 'source_row'], 'unique': true},
        {'columns': ['record_key']},
    ]
) }}
with delivery as (
    select
        batch_id,
        source_row,
        record_key,
        business_date,
        subject_key,
        subject_type,
        name_key
    from {{ ref('credit_record_delivery') }}
    where {{ is_affected_in_union('record_key', 'affected_record') }}
),

subject_alias as (
    select * from {{ ref('subject_alias') }}
),

reference_name as (
    select * from {{ ref('reference_name') }}
),

resolved as (
    select
        delivery.*,
        subject_alias.subject_key as alias_of,
        -- Every name delivered with an identifier is compared; the identifier's own is among the references.
        delivery.subject_type = 'person'
        and delivery.name_key is not null
        and reference_name.name_key is null as is_held
    from delivery
    left join subject_alias on delivery.subject_key = subject_alias.alias_key
    left join reference_name
        on delivery.subject_key = reference_name.subject_key and delivery.name_key = reference_name.name_key
),

-- Only what an identifier says. An officer's decision on the record (ops.record_link) goes before all of it: it is
-- joined here by record_key, and reaches affected_record and affected_subject with the decisions of the candidate.
final as (
    select
        batch_id,
        source_row,
        record_key,
        business_date,
        subject_key as delivered_subject_key,
        case when not coalesce(is_held, false) then coalesce(alias_of, subject_key) end as subject_key,
        subject_type,
        case
            when subject_key is null then 'unidentified'
            when is_held then 'held'
            when alias_of is not null then 'alias'
            else 'identifier'
        end as resolution
    from resolved
)

select * from final
