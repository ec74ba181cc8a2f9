{{ config(materialized='steady_view') }}
with flow as (
    select
        'repair' as kind,
        'opened' as step,
        decided_on as day
    from {{ ref('repair') }}
    union all
    select
        'repair' as kind,
        'closed' as step,
        carried_out_on as day
    from {{ ref('repair') }}
    union all
    select
        'objection' as kind,
        'opened' as step,
        filed_on as day
    from {{ ref('objection') }}
    union all
    select
        'objection' as kind,
        'closed' as step,
        closed_on as day
    from {{ ref('objection') }}
),

counted as (
    select
        date_trunc('month', day)::date as month,
        kind,
        step,
        count(*) as cases
    from flow
    where day is not null
    group by date_trunc('month', day)::date, kind, step
    union all
    -- Past and to come.
    select
        month,
        'expiry' as kind,
        'closed' as step,
        records as cases
    from ({{ tally_today('display_over') }}) as display_over
),

shown as (
    select
        counted.month,
        counted.kind,
        counted.step,
        {{ shown('counted.cases') }} as cases
    from counted
),

final as (
    select
        month,
        kind,
        step,
        cases,
        cases is null as is_suppressed
    from shown
)

select * from final
