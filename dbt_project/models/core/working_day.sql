with announced as (
    select * from {{ ref('announced_day') }}
),

-- Only years that were announced: what follows from a week alone would be a guess.
announced_year as (
    select distinct extract(year from day)::int as calendar_year
    from announced
),

calendar as (
    select year_day.day::date as day
    from announced_year
    cross join lateral generate_series(
        make_date(announced_year.calendar_year, 1, 1),
        make_date(announced_year.calendar_year, 12, 31),
        interval '1 day'
    ) as year_day (day)
),

judged as (
    select
        calendar.day,
        coalesce(announced.is_workday, extract(isodow from calendar.day) < 6) as is_workday
    from calendar
    left join announced on calendar.day = announced.day
),

final as (
    select
        day,
        is_workday,
        (count(*) filter (where is_workday) over (order by day))::int as workday_number
    from judged
)

select * from final
