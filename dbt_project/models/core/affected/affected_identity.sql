{%- set everything = flags.FULL_REFRESH or built_relation('core', 'credit_record') is none %}
with delivered as (
    select
        is_register,
        subject_key,
        name_key,
        alias_keys
    from {{ ref('delivered_row') }}
    where
        {{ everything }}
        or batch_id = any(array(select changed_batch.batch_id from {{ ref('changed_batch') }} as changed_batch))
),

final as (
    select subject_key as identity_key from delivered
    where subject_key is not null
    union
    select alias.alias_key as identity_key
    from delivered
    cross join lateral unnest(delivered.alias_keys) as alias (alias_key)
    union
    select name_key as identity_key from delivered
    where is_register and name_key is not null
)

select * from final
