{{ config(materialized='steady_view') }}
with feed as (
    select * from {{ ref('feed_published') }}
),

-- Every feed for its domain, if it has one, and for the whole city.
member as (
    select
        level.scope_code,
        feed.feed,
        null::text as level_feed
    from feed
    cross join lateral (values (feed.domain), ('全市')) as level (scope_code)
    where level.scope_code is not null
),

{{ metric_monthly('member') }},

final as (
    select
        metric_code,
        metric_label,
        month,
        scope_code as domain,
        unit,
        higher_is_better,
        numerator,
        denominator,
        rate,
        is_small,
        is_known
    from judged
)

select * from final
