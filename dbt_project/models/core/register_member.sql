{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_member',
    scope_key='subject_key',
    on_schema_change='fail',
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[
        {'columns': ['record_key'], 'unique': true},
        {'columns': ['subject_key']},
    ]
) }}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'register_member') is none %}
-- Every version of an entry, also those that name somebody else: a correction may move it from one to another.
with entry as (
    select distinct record_key from {{ ref('delivered_row') }}
    where population is not null and {{ is_affected_in_union('subject_key', 'affected_member') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by record_key order by updated_at desc, delivered_for desc, batch_id desc, source_row desc
        ) as age
    from {{ ref('register_delivery') }}
    where {{ everything }} or record_key = any(array(select entry.record_key from entry))
),

final as (
    select
        population,
        coalesce(group_name, '全体') as group_name,
        subject_key,
        subject_type,
        feed,
        record_key,
        batch_id,
        coalesce(district, '未填') as district,
        joined_on,
        left_on,
        updated_at
    from versioned
    where
        age = 1
        and not is_withdrawal
        and subject_key is not null
        and (left_on is null or left_on > joined_on)
        and {{ is_affected('subject_key', 'affected_member') }}
)

select * from final
