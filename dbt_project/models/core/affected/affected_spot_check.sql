with base as (
    {{ base_publication() }}
),

-- Entered since, or begun to count since; or of a feed whose terms changed, or that is none any more.
final as (
    select distinct
        checked.feed,
        date_trunc('month', checked.sampled_on)::date as month
    from {{ source('ops', 'spot_check') }} as checked
    cross join base
    where
        {{ entered_since('base', 'checked') }}
        or (checked.sampled_on > base.first_night and checked.sampled_on <= base.last_night)
        or checked.feed in (select affected_feed.feed from {{ ref('affected_feed') }} as affected_feed)
        or checked.feed not in (select feed.feed from {{ ref('feed') }} as feed)
)

select * from final
