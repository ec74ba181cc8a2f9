{{ config(materialized='steady_view') }}
with metric as (
    select
        *,
        extract(year from month)::int as year
    from {{ ref('department_metric_monthly') }}
),

{{ appraisal_points('year') }},

entry as (
    select * from {{ ref('appraisal_entry_published') }}
),

final as (
    select
        scored.year,
        scored.department_code,
        scored.department_name,
        scored.ordinal,
        scored.indicator_code,
        scored.indicator_label,
        scored.category,
        scored.is_bonus,
        scored.metric_code,
        scored.numerator,
        scored.denominator,
        scored.rate,
        scored.is_small,
        scored.full_from,
        scored.max_points,
        case when scored.metric_code is null then entry.points else scored.measured_points end as points,
        case
            when scored.metric_code is null and entry.points is null then '未评定'
            when scored.metric_code is null
                then concat('评定 ', entry.points, ' 分：', entry.reason, '（', entry.document, '）')
            when scored.rate is null then '分母未知或为零，不计入考核'
            else concat(
                scored.metric_label, ' ', scored.numerator, ' ÷ ', scored.denominator, ' = ',
                round(100 * scored.rate, 2), '%',
                case when not scored.higher_is_better then '，越低越好' end,
                case
                    when scored.merit >= scored.full_from
                        then concat('，达到 ', round(100 * scored.full_from, 2), '%，得满分')
                    else concat('，', scored.max_points, ' × ', round(100 * scored.merit, 2), '%')
                end
            )
        end as explanation
    from scored
    left join entry
        on
            scored.year = entry.year
            and scored.department_code = entry.department_code
            and scored.indicator_code = entry.indicator_code
            and scored.metric_code is null
)

select * from final
