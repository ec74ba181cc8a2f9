{#- Compares with what the last publication says, not with an earlier attempt of this run. -#}
{%- set published = built_relation('mart_store', 'feedback_item') %}
-- Returned rows of the batches at hand, and those closed since the last publication.
with rejection as (
    select
        rejection_id,
        batch_id,
        closing_id
    from {{ source('quarantine', 'rejected_row') }}
),

base as (
    {{ base_publication() }}
),

published_batch as (
    {% if published is none -%}
    select null::bigint as batch_id
    {%- else -%}
    select published.batch_id
    from {{ published }} as published
    cross join base
    where published.valid_from_publication <= base.publication_id
    {%- endif %}
),

-- No publication holds a refused batch, so none says when it was settled.
refused as (
    select batch.batch_id
    from {{ source('ops', 'batch') }} as batch
    where
        batch.state = 'refused'
        and not exists (
            select 1 from published_batch
            where published_batch.batch_id = batch.batch_id
        )
),

final as (
    select rejection.rejection_id
    from rejection
    where rejection.batch_id in (select affected.batch_id from {{ ref('affected_batch') }} as affected)
    union
    select rejection.rejection_id
    from rejection
    where rejection.batch_id in (select refused.batch_id from refused)
    union
    select rejection.rejection_id
    from rejection
    where
        rejection.closing_id > (select base.closings_through from base)
        and rejection.closing_id <= {{ taken_in('closings_through') }}
)

select * from final
