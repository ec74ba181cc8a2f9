{%- set everything = flags.FULL_REFRESH or built_relation('core', 'register_member') is none %}
-- Every subject any version of a changed entry names.
with changed as (
    select distinct record_key from {{ ref('delivered_row') }}
    where
        population is not null
        and (
            {{ everything }}
            or batch_id = any(array(select changed_batch.batch_id from {{ ref('changed_batch') }} as changed_batch))
        )
),

final as (
    select distinct subject_key from {{ ref('delivered_row') }}
    where
        population is not null
        and subject_key is not null
        and ({{ everything }} or record_key = any(array(select changed.record_key from changed)))
)

select * from final
