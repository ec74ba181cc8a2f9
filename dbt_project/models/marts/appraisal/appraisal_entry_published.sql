{{ config(alias='appraisal_entry', version_key=['year', 'department_code', 'indicator_code']) }}
-- The newest entry counts, also when it takes the points back.
with newest as (
    select distinct on (year, department_code, indicator_code) *
    from {{ source('ops', 'appraisal_entry') }}
    order by year asc, department_code asc, indicator_code asc, appraisal_entry_id desc
),

final as (
    select
        year,
        department_code,
        indicator_code,
        points,
        reason,
        document
    from newest
    where not is_void
)

select * from final
