{{ config(materialized='steady_view') }}
with total as (
    select
        year,
        department_code,
        department_name,
        coalesce(sum(points), 0) as points,
        coalesce(sum(points) filter (where not is_bonus), 0) as regular_points,
        coalesce(sum(max_points) filter (where not is_bonus and points is not null), 0) as assessed_points,
        sum(max_points) filter (where not is_bonus) as full_points,
        array_agg(indicator_label order by ordinal) filter (where not is_bonus and points is null) as not_assessed
    from {{ ref('appraisal_point') }}
    group by year, department_code, department_name
),

scored as (
    select
        *,
        -- What nobody could assess is neither won nor lost: it is left out of both sides.
        round(
            100 * regular_points / nullif(assessed_points, 0) + points - regular_points, 2
        ) as score
    from total
),

final as (
    select
        year,
        department_code,
        department_name,
        points,
        assessed_points,
        full_points,
        score,
        case when score is not null then rank() over (partition by year order by score desc nulls last) end as place,
        coalesce(not_assessed, array[]::text[]) as not_assessed,
        make_date(year, 12, 31) > (select ops.reading_night()) as is_provisional
    from scored
)

select * from final
