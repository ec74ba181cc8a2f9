{{ config(materialized='steady_view') }}
with counted as (
    select
        month,
        list_name,
        'entered' as direction,
        records as entries
    from ({{ tally_today('listed') }}) as listed
    union all
    select
        month,
        list_name,
        'left' as direction,
        records as entries
    from ({{ tally_today('delisted') }}) as delisted
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
