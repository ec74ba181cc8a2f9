{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_identity',
    scope_key='subject_key',
    scope_set_key='identity_key',
    on_schema_change='fail',
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[{'columns': ['subject_key', 'name_key'], 'unique': true}]
) }}
with named as (
    select
        *,
        rank() over (
            partition by subject_key
            order by
                is_register desc,
                case when not is_register then delivered_for end asc,
                case when not is_register then batch_id end asc,
                case when not is_register then source_row end asc
        ) as place
    from {{ ref('identity_row') }}
    where
        {{ is_affected_in_union('subject_key', 'affected_identity', 'identity_key') }}
        and subject_type = 'person'
        and name_key is not null
),

-- All names a register gives, for people change theirs; else the one delivered first.
final as (
    select distinct
        subject_key,
        name_key
    from named
    where place = 1
)

select * from final
