{{ config(materialized='steady_view') }}
with item as (
    select * from {{ ref('feedback_item') }}
),

final as (
    select
        closed_on as business_date,
        feed,
        department_code,
        workdays,
        count(*) as corrected_rows
    from item
    where outcome = 'corrected'
    group by closed_on, feed, department_code, workdays
)

select * from final
