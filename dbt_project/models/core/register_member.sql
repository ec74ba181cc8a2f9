{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_member',
    scope_key='subject_key',
    on_schema_change='fail',
    post_hook='analyze {{ this }}',
    indexes=[
        {'columns': ['population', 'group_name']},
        {'columns': ['subject_key']},
    ]
) }}
-- Every version of an entry, also those that name somebody else: a correction may move it from one to another.
with entry as (
    select distinct record_key from {{ ref('delivered_row') }}
    where population is not null and {{ is_affected_in_union('subject_key', 'affected_member') }}
),

versioned as (
    select
        *,
        coalesce(group_name, '全体') as standing_group,
        row_number() over (
            partition by record_key order by updated_at desc, delivered_for desc, batch_id desc, source_row desc
        ) as age
    from {{ ref('register_delivery') }}
    where record_key = any(array(select entry.record_key from entry))
),

ranked as (
    select
        *,
        row_number() over (
            partition by population, standing_group, subject_key
            order by joined_on desc, updated_at desc, record_key desc
        ) as place
    from versioned
    where
        age = 1
        and not is_withdrawal
        and subject_key is not null
        and {{ is_affected('subject_key', 'affected_member') }}
),

final as (
    select
        population,
        standing_group as group_name,
        subject_key,
        subject_type,
        feed,
        record_key,
        batch_id,
        district,
        joined_on,
        left_on,
        updated_at
    from ranked
    where place = 1
)

select * from final
