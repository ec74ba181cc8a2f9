{#- Everything, when core has to be rebuilt: credit_record is what the other models hang on. -#}
{%- set everything = flags.FULL_REFRESH or built_relation('core', 'credit_record') is none %}
with batch as (
    select * from {{ source('ops', 'batch') }}
),

base as (
    {{ base_publication() }}
),

-- Also batches of candidates discarded since: core was built with them.
changed as (
    select batch.batch_id
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
),

earliest as (
    select
        min(batch.business_date) as business_date,
        min(batch.delivered_for) as delivered_for
    from batch
    inner join changed on batch.batch_id = changed.batch_id
),

final as (
    select
        batch.batch_id,
        batch.feed,
        batch.batch_id in (select changed.batch_id from changed) as is_changed
    from batch
    cross join earliest
    -- A batch that arrives out of order changes what counts as new or as known in the ones after it.
    where
        batch.business_date >= earliest.business_date
        or batch.delivered_for >= earliest.delivered_for
        or batch.feed in (select affected_feed.feed from {{ ref('affected_feed') }} as affected_feed)
)

select * from final
