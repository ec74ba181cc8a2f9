{%- set everything = flags.FULL_REFRESH or built_relation('core', 'credit_record') is none %}
with delivered as (
    select
        feed,
        subject_key,
        name_key,
        alias_keys
    from {{ ref('delivered_row') }}
    where
        {{ everything }}
        or batch_id = any(array(select changed_batch.batch_id from {{ ref('changed_batch') }} as changed_batch))
),

register as (
    select feed from {{ source('ops', 'feed') }}
    where is_subject_register
),

final as (
    select subject_key as identity_key from delivered
    where subject_key is not null
    union
    select alias.alias_key as identity_key
    from delivered
    cross join lateral unnest(delivered.alias_keys) as alias (alias_key)
    union
    select delivered.name_key as identity_key
    from delivered
    inner join register on delivered.feed = register.feed
    where delivered.name_key is not null
)

select * from final
