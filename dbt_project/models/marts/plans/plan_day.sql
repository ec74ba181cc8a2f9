{{ config(materialized='steady_view') }}
with asked as (
    select
        nullif(current_setting('credit.as_of', true), '')::date as day,
        (select ops.reading_night()) as night
),

final as (
    select
        day.first::date as as_of,
        case
            when asked.day is null and day.first::date = asked.night then '发布业务日'
            else day.first::date::text
        end as as_of_label,
        day.first::date = coalesce(asked.day, asked.night) as is_read
    from asked
    cross join lateral generate_series(
        (select min(history.held_from) from {{ ref('plan_status_history') }} as history)::timestamp,
        asked.night::timestamp,
        interval '1 day'
    ) as day (first)
)

select * from final
