{{ config(materialized='steady_view') }}
with tally as (
    {{ tally_today('decided') }}
),

authority as (
    select distinct authority_name from tally
),

placed as (
    {{ districts_of('authority') }}
),

district as (
    select * from {{ source('ops', 'office_district') }}
),

counted as (
    select
        tally.month,
        tally.record_category,
        tally.effect,
        placed.district_code,
        sum(tally.records)::bigint as records
    from tally
    inner join placed on tally.authority_name = placed.authority_name
    group by tally.month, tally.record_category, tally.effect, placed.district_code
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
