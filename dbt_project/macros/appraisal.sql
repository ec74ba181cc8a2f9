{#- CTE `scored`: the points of every indicator of the sheet, per department and `period` (year or month, both columns of
    the CTE `metric`, which has the columns of department_metric_monthly). The sheet is the one that holds on the first
    day of the year. What an officer gives is given for a year. -#}
{% macro appraisal_points(period) -%}
line as (
    select
        appraised.year,
        {% if period != 'year' %}appraised.{{ period }},{% endif %}
        appraised.department_code,
        appraised.department_name,
        indicator.*
    from (
        select distinct
            year,
            {% if period != 'year' %}{{ period }},{% endif %}
            department_code,
            department_name
        from metric
    ) as appraised
    inner join {{ ref('appraisal_indicator_published') }} as indicator
        on {{ holds_on('indicator', 'make_date(appraised.year, 1, 1)') }}
    {% if period != 'year' %}where indicator.metric_code is not null{% endif %}
),

-- A month in which nobody could measure adds nothing to either side.
measured as (
    select
        line.{{ period }},
        line.department_code,
        line.indicator_code,
        max(metric.metric_label) as metric_label,
        bool_or(metric.higher_is_better) as higher_is_better,
        sum(metric.numerator) as numerator,
        sum(metric.denominator) as denominator
    from line
    inner join metric
        on
            line.{{ period }} = metric.{{ period }}
            and line.department_code = metric.department_code
            and line.metric_code = metric.metric_code
            and metric.is_known
            and case when line.feeds is null then metric.feed is null else metric.feed = any(line.feeds) end
    group by line.{{ period }}, line.department_code, line.indicator_code
),

judged as (
    select
        line.*,
        measured.metric_label,
        measured.higher_is_better,
        measured.numerator,
        measured.denominator,
        measured.numerator / nullif(measured.denominator, 0) as rate,
        coalesce(measured.denominator < {{ small_count('make_date(line.year, 1, 1)') }}, false) as is_small
    from line
    left join measured
        on
            line.{{ period }} = measured.{{ period }}
            and line.department_code = measured.department_code
            and line.indicator_code = measured.indicator_code
),

scored as (
    select
        *,
        case
            when merit >= full_from then max_points
            else round(max_points * merit, 2)
        end as measured_points
    from (
        select
            *,
            case when higher_is_better then rate else 1 - rate end as merit
        from judged
    ) as merited
)
{%- endmacro %}
