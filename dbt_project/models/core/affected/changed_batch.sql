{#- Everything, when core has to be rebuilt: credit_record is what the other models hang on. -#}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'credit_record') is none %}
with batch as (
    select * from {{ source('ops', 'batch') }}
),

base as (
    {{ base_publication() }}
),

-- Also batches of candidates discarded since: core was built with them.
final as (
    select
        batch.batch_id,
        batch.business_date,
        batch.delivered_for
    from batch
    cross join base
    where
        {{ everything }}
        or base.publication_id is null
        or batch.batch_id in (
            select built.batch_id
            from {{ source('ops', 'publication_batch') }} as built
            where built.publication_id > base.publication_id and built.publication_id <= {{ publication_id() }}
        )
)

select * from final
