{{ config(
    version_key=['month', 'feed'],
    scope_model='affected_spot_check',
    scope_key=['feed', 'month']
) }}
with checked as (
    {{ standing_entries('spot_check', ['source', 'sampled_on', 'feed', 'document_no']) }}
),

feed as (
    select * from {{ ref('feed') }}
),

final as (
    select
        date_trunc('month', checked.sampled_on)::date as month,
        checked.feed,
        feed.department_code,
        count(*) as sampled,
        count(*) filter (where not checked.found) as not_found,
        sum(checked.fields_checked)::bigint as fields_checked,
        sum(checked.fields_wrong)::bigint as fields_wrong
    from checked
    inner join feed on checked.feed = feed.feed
    where
        checked.sampled_on <= {{ business_date() }}
        and {{ is_affected(
            ['checked.feed', "date_trunc('month', checked.sampled_on)::date"], 'affected_spot_check', ['feed', 'month']
        ) }}
    group by date_trunc('month', checked.sampled_on), checked.feed, feed.department_code
)

select * from final
