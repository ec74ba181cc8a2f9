{#- Every accepted batch of the candidate, of feeds that bring what the model holds, has as many rows here as the ledger
    says were accepted. -#}
{% test reconciles_with_ledger(model, brings) %}
with ledger as (
    select
        batch.batch_id,
        batch.feed,
        batch.accepted_rows
    from {{ source('ops', 'batch') }} as batch
    inner join {{ source('ops', 'publication_batch') }} as built on batch.batch_id = built.batch_id
    inner join {{ source('ops', 'feed') }} as feed on batch.feed = feed.feed and feed.brings = '{{ brings }}'
    where built.publication_id = (select ops.reading_publication())
        and batch.state = 'accepted'
),

present as (
    select
        batch_id,
        count(*) as present_rows
    from {{ model }}
    where batch_id = any(array(select ledger.batch_id from ledger))
    group by batch_id
)

select
    ledger.batch_id,
    ledger.feed,
    ledger.accepted_rows,
    coalesce(present.present_rows, 0) as present_rows
from ledger
left join present on ledger.batch_id = present.batch_id
where ledger.accepted_rows <> coalesce(present.present_rows, 0)
{% endtest %}
