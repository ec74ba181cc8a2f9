{{ config(materialized='steady_view') }}
with item as (
    select * from {{ ref('feedback_item') }}
),

feed as (
    select * from {{ ref('feed_published') }}
),

counted as (
    select
        opened_on as business_date,
        feed,
        max(due_on) as due_on,
        count(*) as returned_rows,
        count(*) filter (where outcome = 'corrected') as corrected_rows,
        count(*) filter (where is_corrected_in_time) as corrected_in_time_rows,
        count(*) filter (where outcome = 'rerejected') as rerejected_rows,
        count(*) filter (where outcome = 'ignored') as ignored_rows,
        count(*) filter (where outcome = 'duplicate') as duplicate_rows,
        count(*) filter (where outcome = 'open') as open_rows,
        count(*) filter (where outcome = 'open' and not is_key_whole) as open_broken_key_rows
    from item
    group by opened_on, feed
),

-- A duplicate asks nothing of anybody, so it is in no share.
asked as (
    select
        counted.*,
        counted.returned_rows - counted.duplicate_rows as asked_rows,
        counted.corrected_rows + counted.rerejected_rows + counted.ignored_rows as handled_rows
    from counted
),

final as (
    select
        asked.business_date,
        feed.department_code,
        feed.department_name,
        feed.source,
        asked.feed,
        feed.feed_label,
        asked.due_on,
        asked.returned_rows,
        asked.corrected_rows,
        asked.corrected_in_time_rows,
        asked.rerejected_rows,
        asked.ignored_rows,
        asked.duplicate_rows,
        asked.open_rows,
        asked.open_broken_key_rows,
        asked.asked_rows,
        asked.handled_rows,
        round(asked.handled_rows::numeric / nullif(asked.asked_rows, 0), 6) as handling_rate,
        round(asked.corrected_rows::numeric / nullif(asked.asked_rows, 0), 6) as correction_rate,
        round(asked.ignored_rows::numeric / nullif(asked.asked_rows, 0), 6) as ignore_rate,
        asked.asked_rows < {{ small_count('asked.business_date') }} as is_small
    from asked
    inner join feed on asked.feed = feed.feed
)

select * from final
