{{ config(materialized='steady_view', post_hook='{{ grant_to_readers(this) }}') }}
with counted as (
    select
        date_trunc('month', business_date)::date as month,
        district_code,
        sum(delivered_rows) as delivered_rows,
        sum(accepted_rows) as accepted_rows,
        sum(timed_records) as timed_records,
        sum(on_time_records) as on_time_records
    from {{ ref('district_daily') }}
    group by date_trunc('month', business_date), district_code
),

delay as (
    select
        date_trunc('month', business_date)::date as month,
        district_code,
        delay_workdays,
        sum(records) as records
    from {{ ref('reporting_delay_daily') }}
    group by date_trunc('month', business_date), district_code, delay_workdays
),

delay_quantile as (
    {{ quantiles_of('delay', ['month', 'district_code']) }}
),

measured_values as (
    select
        counted.month,
        counted.district_code,
        metric.metric_code,
        metric.numerator,
        metric.denominator
    from counted
    cross join
        lateral (
            values
            ('delivered_rows', counted.delivered_rows, null),
            ('compliance_rate', counted.accepted_rows, counted.delivered_rows),
            ('timeliness_rate', counted.on_time_records, counted.timed_records),
            ('late_rate', counted.timed_records - counted.on_time_records, counted.timed_records)
        ) as metric (metric_code, numerator, denominator)
    union all
    select
        delay_quantile.month,
        delay_quantile.district_code,
        metric.metric_code,
        metric.numerator,
        delay_quantile.records as denominator
    from delay_quantile
    cross join lateral (
        values
        ('delay_p50', delay_quantile.p50),
        ('delay_p90', delay_quantile.p90),
        ('delay_max', delay_quantile.longest)
    ) as metric (metric_code, numerator)
),

{{ judged_metrics('measured_values', ['district_code']) }},

-- What is told of a district; other metrics are a department's, not a place's.
final as (
    select
        judged.metric_code,
        judged.metric_label,
        judged.month,
        judged.district_code,
        case judged.district_code
            when 'city' then '市本级'
            when 'unknown' then '不详'
            else district.district_name
        end as district_name,
        judged.unit,
        judged.higher_is_better,
        judged.numerator,
        judged.denominator,
        judged.rate,
        judged.is_small,
        judged.is_known
    from judged
    left join {{ source('ops', 'office_district') }} as district on judged.district_code = district.district_code
    where judged.metric_code in (select told.metric_code from measured_values as told)
)

select * from final
