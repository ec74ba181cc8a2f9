{{ config(materialized='steady_view') }}
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

{% set keys = ['month', 'district_code'] -%}
measured_values as (
    {{ metrics_of('counted', keys, [
        ('delivered_rows', 'counted.delivered_rows', 'null'),
        ('compliance_rate', 'counted.accepted_rows', 'counted.delivered_rows'),
        ('timeliness_rate', 'counted.on_time_records', 'counted.timed_records'),
        ('late_rate', 'counted.timed_records - counted.on_time_records', 'counted.timed_records'),
    ]) }}
    union all
    {{ delay_metrics(keys) }}
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
