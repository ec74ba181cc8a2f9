{%- set affected_batch = ref('affected_batch') %}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'register_member') is none %}
-- Every subject any version of a changed entry names.
with changed as (
    select distinct record_key from {{ ref('register_row') }}
    where
        {{ everything }}
        or batch_id = any(array(
            select affected_batch.batch_id
            from {{ affected_batch }} as affected_batch
            where affected_batch.is_changed
        ))
),

final as (
    select distinct subject_key from {{ ref('register_row') }}
    where
        subject_key is not null
        and ({{ everything }} or record_key = any(array(select changed.record_key from changed)))
)

select * from final
