{{ config(materialized='steady_view') }}
-- The measured lines of the year's sheet, on the figures of one month.
with metric as (
    select
        *,
        extract(year from month)::int as year
    from {{ ref('department_metric_monthly') }}
),

{{ appraisal_points('month') }},

total as (
    select
        month,
        department_code,
        department_name,
        sum(measured_points) as points,
        sum(max_points) filter (where measured_points is not null) as assessed_points,
        sum(max_points) as full_points
    from scored
    group by month, department_code, department_name
),

final as (
    select
        month,
        department_code,
        department_name,
        points,
        assessed_points,
        full_points,
        round(100 * points / assessed_points, 2) as score,
        case
            when assessed_points is not null
                then rank() over (partition by month order by points / assessed_points desc nulls last)
        end as place
    from total
)

select * from final
