{{ config(materialized='steady_view') }}
with feed as (
    select * from {{ ref('feed_published') }}
),

-- Every feed for itself, and for its department as a whole.
member as (
    select
        feed.department_code as scope_code,
        feed.feed,
        level.level_feed
    from feed
    cross join lateral (values (feed.feed), (null)) as level (level_feed)
),

department as (
    select distinct
        department_code,
        department_name
    from feed
),

{{ metric_monthly('member') }},

final as (
    select
        judged.metric_code,
        judged.metric_label,
        judged.month,
        department.department_code,
        department.department_name,
        judged.level_feed as feed,
        feed.feed_label,
        judged.unit,
        judged.higher_is_better,
        judged.numerator,
        judged.denominator,
        judged.rate,
        judged.is_small,
        judged.is_known
    from judged
    inner join department on judged.scope_code = department.department_code
    left join feed on judged.level_feed = feed.feed
)

select * from final
