{{ config(materialized='steady_view') }}
with delay as (
    select * from {{ ref('reporting_delay_daily') }}
),

feed as (
    select * from {{ ref('feed_published') }}
),

final as (
    select
        delay.business_date,
        feed.department_code,
        feed.department_name,
        delay.feed,
        feed.feed_label,
        delay.delay_workdays,
        sum(delay.records)::bigint as records,
        sum(delay.on_time_records)::bigint as on_time_records
    from delay
    inner join feed on delay.feed = feed.feed
    group by
        delay.business_date,
        feed.department_code,
        feed.department_name,
        delay.feed,
        feed.feed_label,
        delay.delay_workdays
)

select * from final
