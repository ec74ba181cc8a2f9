{{ config(materialized='steady_view') }}
with result as (
    select * from {{ source('ops', 'gate_result') }}
),

feed as (
    select * from {{ ref('feed_published') }}
),

final as (
    select
        result.business_date,
        result.gate,
        feed.department_name,
        result.feed,
        feed.feed_label,
        result.severity,
        result.state,
        count(*) as checks
    from result
    left join feed on result.feed = feed.feed
    where result.business_date <= (select ops.reading_night())
    group by
        result.business_date,
        result.gate,
        feed.department_name,
        result.feed,
        feed.feed_label,
        result.severity,
        result.state
)

select * from final
