{{ config(
    version_key=['business_date', 'feed', 'rule', 'field'],
    scope_model='affected_batch_night',
    scope_key='business_date'
) }}
with batch as (
    select * from {{ ref('settled_batch') }}
    where {{ is_affected('business_date', 'affected_batch_night') }}
),

feed as (
    select * from {{ ref('feed') }}
),

final as (
    select
        batch.business_date,
        batch.feed,
        refusal.rule,
        refusal.field,
        feed.department_code,
        feed.catalogue_item_code,
        feed.catalogue_item_name,
        sum(refusal.rows)::bigint as refused_rows
    from batch
    inner join {{ source('ops', 'rule_count') }} as refusal on batch.batch_id = refusal.batch_id
    inner join feed on batch.feed = feed.feed
    where refusal.rule in ('not_in_catalogue', 'no_legal_basis', 'no_document', 'forbidden', 'minor')
    group by
        batch.business_date, batch.feed, refusal.rule, refusal.field, feed.department_code, feed.catalogue_item_code,
        feed.catalogue_item_name
)

select * from final
