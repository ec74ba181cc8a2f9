{{ config(materialized='steady_view') }}
with entry as (
    select * from {{ ref('serious_list_entry') }}
),

flow as (
    select
        date_trunc('month', entered_on)::date as month,
        list_name,
        'entered' as direction
    from entry
    where entered_on is not null
    union all
    select
        date_trunc('month', exited_on)::date as month,
        list_name,
        'left' as direction
    from entry
    where exited_on is not null
),

counted as (
    select
        month,
        list_name,
        direction,
        count(*) as entries
    from flow
    group by month, list_name, direction
),

shown as (
    select
        counted.month,
        counted.list_name,
        counted.direction,
        {{ shown('counted.entries') }} as entries
    from counted
),

final as (
    select
        month,
        list_name,
        direction,
        entries,
        entries is null as is_suppressed
    from shown
)

select * from final
