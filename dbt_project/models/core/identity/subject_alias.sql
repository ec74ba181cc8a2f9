{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_identity',
    scope_key='alias_key',
    scope_set_key='identity_key',
    on_schema_change='fail',
    pre_hook='{{ plan_by_alias() }}',
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[{'columns': ['alias_key'], 'unique': true}, {'columns': ['subject_key']}]
) }}
with claim as (
    select distinct
        alias.alias_key,
        claimant.subject_key
    from {{ ref('identity_row') }} as claimant
    cross join lateral unnest(claimant.alias_keys) as alias (alias_key)
    where {{ overlaps_affected('claimant.alias_keys', 'affected_identity', 'identity_key', 'is_alias') }}
),

-- An alias that two subjects claim is nobody's until a person has decided (identity_collision).
final as (
    select
        alias_key,
        (array_agg(subject_key))[1] as subject_key
    from claim
    where {{ is_affected('alias_key', 'affected_identity', 'identity_key') }}
    group by alias_key
    having count(*) = 1
)

select * from final
