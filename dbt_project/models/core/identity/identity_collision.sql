{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_identity',
    scope_key='identity_key',
    on_schema_change='fail',
    pre_hook='{{ plan_by_alias() }}',
    indexes=[{'columns': ['identity_key', 'kind'], 'unique': true}]
) }}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'identity_collision') is none %}
with subject_alias as (
    select * from {{ ref('subject_alias') }}
    where {{ is_affected('alias_key', 'affected_identity', 'identity_key') }}
),

named as (
    select * from {{ ref('identity_row') }}
    where
        {{ is_affected_in_union('subject_key', 'affected_identity', 'identity_key') }}
        and name_key is not null
),

person_names as (
    select
        subject_key as identity_key,
        'person_names' as kind,
        subject_key,
        name_key,
        delivered_for
    from named
    where subject_type = 'person'
),

organisation_row as (
    select
        named.*,
        coalesce(subject_alias.subject_key, named.subject_key) as owner_key
    from named
    left join subject_alias on named.subject_key = subject_alias.alias_key
    where named.subject_type = 'organisation'
),

registered as (
    select distinct
        subject_key,
        name_key
    from {{ ref('identity_row') }}
    where
        is_register
        and name_key is not null
        and (
            {{ everything }}
            or subject_key = any(array(select organisation_row.owner_key from organisation_row))
        )
),

-- Organisations change their names: only one the register never gave is another name.
organisation_names as (
    select
        organisation_row.subject_key as identity_key,
        'organisation_names' as kind,
        organisation_row.owner_key as subject_key,
        organisation_row.name_key,
        organisation_row.delivered_for
    from organisation_row
    where
        organisation_row.owner_key in (select registered.subject_key from registered)
        and not exists (
            select 1 from registered
            where
                registered.subject_key = organisation_row.owner_key
                and registered.name_key = organisation_row.name_key
        )
),

shared_alias as (
    select
        alias.alias_key as identity_key,
        'shared_alias' as kind,
        claimant.subject_key,
        claimant.name_key,
        claimant.delivered_for
    from {{ ref('identity_row') }} as claimant
    cross join lateral unnest(claimant.alias_keys) as alias (alias_key)
    where {{ overlaps_affected('claimant.alias_keys', 'affected_identity', 'identity_key', 'is_alias') }}
),

shared_name as (
    select
        name_key as identity_key,
        'shared_name' as kind,
        subject_key,
        name_key,
        delivered_for
    from {{ ref('identity_row') }}
    where
        {{ is_affected_in_union('name_key', 'affected_identity', 'identity_key') }}
        and name_key is not null
        and is_register
        and id_type = 'uscc'
),

conflict as (
    select * from person_names
    union all
    select * from organisation_names
    union all
    select * from shared_alias
    union all
    select * from shared_name
),

final as (
    select
        identity_key,
        kind,
        array_agg(distinct subject_key order by subject_key) as subject_keys,
        array_agg(distinct name_key order by name_key) filter (where name_key is not null) as name_keys,
        count(*) as delivered_rows,
        min(delivered_for) as first_seen_on,
        max(delivered_for) as last_seen_on
    from conflict
    where {{ is_affected('identity_key', 'affected_identity') }}
    group by identity_key, kind
    having
        kind = 'organisation_names'
        or (kind = 'person_names' and count(distinct name_key) > 1)
        or (kind in ('shared_alias', 'shared_name') and count(distinct subject_key) > 1)
)

select * from final
