{{ config(materialized='steady_view', post_hook='{{ grant_to_readers(this) }}') }}
with metric as (
    select
        extract(year from month)::int as year,
        department_code,
        department_name,
        feed,
        metric_code,
        metric_label,
        higher_is_better,
        numerator,
        denominator,
        is_known
    from {{ ref('department_metric_monthly') }}
),

-- The sheet of a year is the one that holds on its first day.
line as (
    select
        appraised.year,
        appraised.department_code,
        appraised.department_name,
        indicator.*
    from (
        select distinct
            year,
            department_code,
            department_name
        from metric
    ) as appraised
    inner join {{ ref('appraisal_indicator_published') }} as indicator
        on {{ holds_on('indicator', 'make_date(appraised.year, 1, 1)') }}
),

-- A month in which nobody could measure adds nothing to either side.
measured as (
    select
        line.year,
        line.department_code,
        line.indicator_code,
        max(metric.metric_label) as metric_label,
        bool_or(metric.higher_is_better) as higher_is_better,
        sum(metric.numerator) as numerator,
        sum(metric.denominator) as denominator
    from line
    inner join metric
        on
            line.year = metric.year
            and line.department_code = metric.department_code
            and line.metric_code = metric.metric_code
            and metric.is_known
            and case when line.feeds is null then metric.feed is null else metric.feed = any(line.feeds) end
    group by line.year, line.department_code, line.indicator_code
),

judged as (
    select
        line.*,
        measured.metric_label,
        measured.higher_is_better,
        measured.numerator,
        measured.denominator,
        measured.numerator / nullif(measured.denominator, 0) as rate,
        entry.points as entered_points,
        entry.reason as entered_reason,
        entry.document as entered_document,
        coalesce(measured.denominator < parameter.value, false) as is_small
    from line
    left join measured
        on
            line.year = measured.year
            and line.department_code = measured.department_code
            and line.indicator_code = measured.indicator_code
    left join {{ ref('appraisal_entry_published') }} as entry
        on
            line.year = entry.year
            and line.department_code = entry.department_code
            and line.indicator_code = entry.indicator_code
            and line.metric_code is null
    left join {{ source('ops', 'metric_parameter') }} as parameter
        on parameter.name = 'small_count' and {{ holds_on('parameter', 'make_date(line.year, 1, 1)') }}
),

scored as (
    select
        *,
        case when higher_is_better then rate else 1 - rate end as merit
    from judged
),

final as (
    select
        year,
        department_code,
        department_name,
        place,
        indicator_code,
        indicator_label,
        category,
        is_bonus,
        metric_code,
        numerator,
        denominator,
        rate,
        is_small,
        full_from,
        max_points,
        case
            when metric_code is null then entered_points
            when merit >= full_from then max_points
            else round(max_points * merit, 2)
        end as points,
        case
            when metric_code is null and entered_points is null then '未评定'
            when metric_code is null
                then concat('评定 ', entered_points, ' 分：', entered_reason, '（', entered_document, '）')
            when rate is null then '分母未知或为零，不计入考核'
            else concat(
                metric_label, ' ', numerator, ' ÷ ', denominator, ' = ', round(100 * rate, 2), '%',
                case when not higher_is_better then '，越低越好' end,
                case
                    when merit >= full_from then concat('，达到 ', round(100 * full_from, 2), '%，得满分')
                    else concat('，', max_points, ' × ', round(100 * merit, 2), '%')
                end
            )
        end as explanation
    from scored
)

select * from final
