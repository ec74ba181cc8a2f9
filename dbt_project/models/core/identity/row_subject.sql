{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_record',
    scope_key='record_key',
    on_schema_change='fail',
    distinct_share={'batch_id': 0.01},
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[
        {'columns': ['batch_id', 'source_row'], 'unique': true},
        {'columns': ['record_key']},
        {'columns': ['is_held']},
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

-- What reviewers decided; an identifier needs nobody's decision, unless its name contradicts it.
decided as (
    select
        link.record_key,
        coalesce(alias.subject_key, link.subject_key) as subject_key,
        owner.subject_type
    from ops.record_link_as_of({{ taken_in('decisions_through') }}) as link
    left join subject_alias as alias on link.subject_key = alias.alias_key
    left join {{ source('vault', 'identity') }} as owner on link.subject_key = owner.subject_key
),

final as (
    select
        resolved.batch_id,
        resolved.source_row,
        resolved.record_key,
        resolved.business_date,
        resolved.subject_key as delivered_subject_key,
        coalesce(resolved.is_held, false) as is_held,
        case
            when resolved.subject_key is null or resolved.is_held then decided.subject_key
            else coalesce(resolved.alias_of, resolved.subject_key)
        end as subject_key,
        coalesce(resolved.subject_type, decided.subject_type) as subject_type,
        case
            when resolved.subject_key is null or resolved.is_held
                then
                    case
                        when decided.subject_key is not null then 'decision'
                        when resolved.is_held then 'held'
                        else 'unidentified'
                    end
            when resolved.alias_of is not null then 'alias'
            else 'identifier'
        end as resolution
    from resolved
    left join decided on resolved.record_key = decided.record_key
)

select * from final
