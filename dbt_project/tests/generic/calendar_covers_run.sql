{#- The calendar holds every day of the year of the business date and of every year in which something was received,
    without a gap. A missing year would make every delay of that year unknown. -#}
{% test calendar_covers_run(model) %}
{%- set day = business_date() %}
with needed_year as (
    select extract(year from {{ day }})::int as calendar_year
    union
    select distinct extract(year from delivered_for)::int as calendar_year
    from {{ source('ops', 'batch') }}
),

known_year as (
    select
        extract(year from day)::int as calendar_year,
        count(*) as days
    from {{ model }}
    group by extract(year from day)::int
)

select
    needed_year.calendar_year,
    known_year.days
from needed_year
left join known_year on needed_year.calendar_year = known_year.calendar_year
where known_year.days is distinct from (
    make_date(needed_year.calendar_year + 1, 1, 1) - make_date(needed_year.calendar_year, 1, 1)
)
{% endtest %}
