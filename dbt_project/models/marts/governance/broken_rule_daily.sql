{{ config(materialized='steady_view') }}
with item as (
    select * from {{ ref('feedback_item') }}
),

feed as (
    select * from {{ ref('feed_published') }}
),

broken as (
    select distinct
        item.rejection_id,
        item.opened_on,
        item.feed,
        item.outcome,
        told.error_code
    from item
    cross join lateral unnest(item.error_codes) as told (error_code)
),

final as (
    select
        broken.opened_on as business_date,
        feed.department_code,
        feed.department_name,
        broken.feed,
        feed.feed_label,
        broken.error_code,
        count(*) as rows_broken,
        count(*) filter (where broken.outcome = 'open') as rows_open
    from broken
    inner join feed on broken.feed = feed.feed
    group by
        broken.opened_on,
        feed.department_code,
        feed.department_name,
        broken.feed,
        feed.feed_label,
        broken.error_code
)

select * from final
