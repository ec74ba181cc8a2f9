{#- A period that is due and that nothing of ours excuses. -#}
{% macro is_owed_period(state) -%}
    {{ state }} in ('reported', 'zero_report', 'late', 'missing')
{%- endmacro %}


{#- Fewer than this are told as a small sample (DOMAIN.md §5.2); the parameter in force on a day. -#}
{% macro small_count(day) -%}
    (
        select small.value
        from {{ source('ops', 'metric_parameter') }} as small
        where small.name = 'small_count' and {{ holds_on('small', day) }}
    )
{%- endmacro %}


{#- The count, or null when it is too small to be shown in an overview: a cell of one or two records tells whose they are. -#}
{% macro shown(counted) -%}
    case
        when {{ counted }} >= (
            select least_shown.value
            from {{ source('ops', 'metric_parameter') }} as least_shown
            where least_shown.name = 'suppressed_count' and {{ holds_on('least_shown', '(select ops.reading_night())') }}
        ) then {{ counted }}
    end
{%- endmacro %}


{#- Rows of metrics from a CTE with a column per count: `figures` are (metric_code, numerator, denominator). -#}
{% macro metrics_of(counts, keys, figures) -%}
    select
        {% for key in keys -%}
        {{ counts }}.{{ key }},
        {% endfor -%}
        metric.metric_code,
        metric.numerator::numeric as numerator,
        metric.denominator::numeric as denominator
    from {{ counts }}
    cross join lateral (
        values
        {% for code, numerator, denominator in figures -%}
        ('{{ code }}', {{ numerator }}, {{ denominator }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as metric (metric_code, numerator, denominator)
{%- endmacro %}


{#- Median working days of cases closed in a month, per scope: `cases` has the feed, `closed_on` the day and `workdays`
    the time taken. -#}
{% macro median_of(cases, member, closed_on, workdays, condition='true') -%}
    select
        date_trunc('month', closed.{{ closed_on }})::date as month,
        member.scope_code,
        member.level_feed,
        percentile_disc(0.5) within group (order by closed.{{ workdays }}) as p50,
        count(closed.{{ workdays }}) as cases
    from {{ cases }} as closed
    inner join {{ member }} as member on closed.feed = member.feed
    where closed.{{ closed_on }} is not null and {{ condition }}
    group by date_trunc('month', closed.{{ closed_on }}), member.scope_code, member.level_feed
{%- endmacro %}


{#- CTEs `measured_values` and `judged` of a monthly metric view. `member` is a CTE (scope_code, feed, level_feed): which
    feeds count for which scope; level_feed is the feed itself where it has a row of its own, null for the scope as a
    whole. What does not add up (quantiles, the oldest, coverage) is computed from its own grain for each scope. -#}
{% macro metric_monthly(member) -%}
additive as (
    select
        count_.month,
        member.scope_code,
        member.level_feed,
        count_.metric_code,
        sum(count_.numerator) as numerator,
        sum(count_.denominator) as denominator
    from {{ ref('feed_count_monthly') }} as count_
    inner join {{ member }} as member on count_.feed = member.feed
    group by count_.month, member.scope_code, member.level_feed, count_.metric_code
),

delay as (
    select
        date_trunc('month', arrival.business_date)::date as month,
        member.scope_code,
        member.level_feed,
        arrival.delay_workdays,
        sum(arrival.records) as records
    from {{ ref('reporting_delay_daily') }} as arrival
    inner join {{ member }} as member on arrival.feed = member.feed
    group by date_trunc('month', arrival.business_date), member.scope_code, member.level_feed, arrival.delay_workdays
),

delay_quantile as (
    {{ quantiles_of('delay', ['month', 'scope_code', 'level_feed']) }}
),

last_night as (
    select distinct on (date_trunc('month', business_date), feed)
        date_trunc('month', business_date)::date as month,
        feed,
        freshness_days
    from {{ ref('department_coverage_daily') }}
    order by date_trunc('month', business_date), feed, business_date desc
),

freshness as (
    select
        last_night.month,
        member.scope_code,
        member.level_feed,
        max(last_night.freshness_days) as freshness_days,
        count(last_night.freshness_days) as feeds
    from last_night
    inner join {{ member }} as member on last_night.feed = member.feed
    group by last_night.month, member.scope_code, member.level_feed
),

-- Of each item the last period owed in the month; an item of several feeds is reported by any of them.
item as (
    select distinct on (
        date_trunc('month', period.period_end), member.scope_code, member.level_feed, period.department_code,
        period.catalogue_item_code
    )
        date_trunc('month', period.period_end)::date as month,
        member.scope_code,
        member.level_feed,
        period.department_code,
        period.catalogue_item_code,
        (period.state <> 'missing')::int as is_reported
    from {{ ref('reporting_period') }} as period
    inner join {{ member }} as member on period.feed = member.feed
    where {{ is_owed_period('period.state') }}
    order by
        date_trunc('month', period.period_end), member.scope_code, member.level_feed, period.department_code,
        period.catalogue_item_code, period.period_end desc, is_reported desc
),

reporting as (
    select
        month,
        scope_code,
        level_feed,
        department_code,
        sum(is_reported) as items_reported,
        count(*) as items_owed
    from item
    group by month, scope_code, level_feed, department_code
),

item_coverage as (
    select
        month,
        scope_code,
        level_feed,
        sum(items_reported) as items_reported,
        sum(items_owed) as items_owed,
        count(*) filter (where items_reported > 0) as departments_reporting,
        count(*) as departments_owing
    from reporting
    group by month, scope_code, level_feed
),

objection_time as (
    {{ median_of(ref('objection'), member, 'closed_on', 'workdays_taken') }}
),

repair_time as (
    {{ median_of(ref('repair'), member, 'decided_on', 'workdays_taken') }}
),

feedback_time as (
    {{ median_of(ref('feedback_item'), member, 'closed_on', 'workdays', "closed.outcome = 'corrected'") }}
),

{% set keys = ['month', 'scope_code', 'level_feed'] -%}
measured_values as (
    select
        month,
        scope_code,
        level_feed,
        metric_code,
        numerator,
        denominator
    from additive
    union all
    {{ delay_metrics(keys) }}
    union all
    {{ metrics_of('freshness', keys, [('freshness_days', 'freshness.freshness_days', 'freshness.feeds')]) }}
    union all
    {{ metrics_of('item_coverage', keys, [
        ('item_coverage_rate', 'item_coverage.items_reported', 'item_coverage.items_owed'),
        ('department_coverage_rate', 'item_coverage.departments_reporting', 'item_coverage.departments_owing'),
    ]) }}
    {%- for procedure in ['objection', 'repair', 'feedback'] %}
    {%- set taken = procedure ~ '_time' %}
    union all
    {{ metrics_of(taken, keys, [(procedure ~ '_p50', taken ~ '.p50', taken ~ '.cases')]) }}
    {%- endfor %}
),

{{ judged_metrics('measured_values', ['scope_code', 'level_feed']) }}
{%- endmacro %}


{#- Nearest-rank quantiles of a histogram (delay_workdays, records) per `keys`: exact, whatever is rolled up. -#}
{% macro quantiles_of(histogram, keys) -%}
    select
        {{ keys | join(', ') }},
        min(delay_workdays) filter (where upto >= 0.5 * total) as p50,
        min(delay_workdays) filter (where upto >= 0.9 * total) as p90,
        max(delay_workdays) as longest,
        max(total) as records
    from (
        select
            *,
            sum(records) over (partition by {{ keys | join(', ') }} order by delay_workdays) as upto,
            sum(records) over (partition by {{ keys | join(', ') }}) as total
        from {{ histogram }}
    ) as ranked
    group by {{ keys | join(', ') }}
{%- endmacro %}


{#- The metrics told by the CTE `delay_quantile`. -#}
{% macro delay_metrics(keys) -%}
    {{ metrics_of('delay_quantile', keys, [
        ('delay_p50', 'delay_quantile.p50', 'delay_quantile.records'),
        ('delay_p90', 'delay_quantile.p90', 'delay_quantile.records'),
        ('delay_max', 'delay_quantile.longest', 'delay_quantile.records'),
    ]) }}
{%- endmacro %}


{#- CTEs `spine` and `judged`: every metric of the dictionary for every month and scope that has any, unknown where
    nothing was measured; with rate, small-count flag and what is known. -#}
{% macro judged_metrics(measured, keys) -%}
spine as (
    select distinct
        month,
        {{ keys | join(', ') }}
    from {{ measured }}
),

judged as (
    select
        spine.month,
        {% for key in keys -%}
        spine.{{ key }},
        {% endfor -%}
        metric.metric_code,
        metric.metric_label,
        metric.unit,
        metric.higher_is_better,
        measured.numerator::numeric as numerator,
        measured.denominator::numeric as denominator,
        case
            when metric.unit = 'share' then measured.numerator::numeric / nullif(measured.denominator, 0)
        end as rate,
        coalesce(
            metric.unit in ('share', 'workday') and measured.denominator < {{ small_count('spine.month') }}, false
        ) as is_small,
        measured.numerator is not null
        and (metric.unit <> 'share' or measured.denominator is not null) as is_known
    from spine
    cross join {{ source('ops', 'metric') }} as metric
    left join {{ measured }} as measured
        on
            spine.month = measured.month
            {% for key in keys -%}
            and spine.{{ key }} is not distinct from measured.{{ key }}
            {% endfor -%}
            and metric.metric_code = measured.metric_code
)
{%- endmacro %}
