{{ config(materialized='steady_view') }}
with record as (
    select
        record_category,
        effect,
        coalesce(authority_name, '') as authority_name,
        date_trunc('month', decision_date)::date as month
    from {{ ref('queryable_credit_record') }}
    where decision_date is not null
),

authority as (
    select distinct authority_name from record
),

placed as (
    {{ districts_of('authority') }}
),

district as (
    select * from {{ source('ops', 'office_district') }}
),

counted as (
    select
        record.month,
        record.record_category,
        record.effect,
        placed.district_code,
        count(*) as records
    from record
    inner join placed on record.authority_name = placed.authority_name
    group by record.month, record.record_category, record.effect, placed.district_code
),

shown as (
    select
        counted.month,
        counted.record_category,
        counted.effect,
        counted.district_code,
        {{ shown('counted.records') }} as records
    from counted
),

final as (
    select
        shown.month,
        shown.record_category,
        shown.effect,
        shown.district_code,
        coalesce(district.district_name, '市本级') as district_name,
        shown.records,
        shown.records is null as is_suppressed
    from shown
    left join district on shown.district_code = district.district_code
)

select * from final
