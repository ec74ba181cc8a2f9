{{ config(materialized='steady_view') }}
with outcome as (
    select * from {{ source('ops', 'outcome') }}
),

final as (
    select
        business_date,
        coalesce(source, 'publication') as part,
        step,
        state,
        count(*) as runs,
        count(*) filter (where finished_at is null) as unfinished_runs,
        round(sum(extract(epoch from finished_at - started_at))::numeric, 1) as seconds
    from outcome
    where business_date <= (select ops.reading_night())
    group by business_date, coalesce(source, 'publication'), step, state
)

select * from final
