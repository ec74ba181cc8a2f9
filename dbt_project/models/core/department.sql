with source as (
    select * from {{ source('ops', 'feed') }}
    where is_active
),

final as (
    -- Contracts of one department may be written at different times; the newest spelling of its name is kept.
    select
        department_code,
        max(department_name) as department_name,
        count(*)::int as feeds
    from source
    group by department_code
)

select * from final
