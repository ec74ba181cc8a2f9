{{ config(materialized='steady_view') }}
with target as (
    select * from {{ ref('plan_target') }}
    where measure is not null
),

wanted as (
    select
        target.target_code,
        target.population,
        wanted_group.group_name
    from target
    cross join lateral unnest(target.group_names) as wanted_group (group_name)
    where target.measure = 'population_coverage'
),

-- Groups are added up, and each has steps of its own days: what changes is added, not what holds.
step as (
    select
        population,
        group_name,
        held_from as day,
        filed_members - lag(filed_members, 1, 0::bigint) over one_group as numerator_change,
        members - lag(members, 1, 0::bigint) over one_group as denominator_change
    from {{ ref('population_coverage') }}
    where district = '全市'
    window one_group as (partition by population, group_name order by held_from)
),

-- From the ledger and not from core, whose tables are made anew under the readers of this view.
obliged as (
    select distinct department.department_code
    from {{ source('ops', 'catalogue_item') }} as item
    cross join lateral unnest(item.department_codes) as department (department_code)
    where item.withdrawn_on is null and item.valid_to is null
),

-- A department counts from the first night that brought something of it.
first_delivery as (
    select
        coverage.department_code,
        min(coverage.business_date) as day
    from {{ ref('department_coverage_daily') }} as coverage
    inner join obliged on coverage.department_code = obliged.department_code
    where coverage.accepted_rows > 0
    group by coverage.department_code
),

first_night as (
    select min(day) as day from first_delivery
),

change as (
    select
        wanted.target_code,
        step.day,
        step.numerator_change,
        step.denominator_change
    from wanted
    inner join step on wanted.population = step.population and wanted.group_name = step.group_name
    union all
    select
        target.target_code,
        first_night.day,
        0 as numerator_change,
        1 as denominator_change
    from target
    cross join obliged
    cross join first_night
    where target.measure = 'department_coverage' and first_night.day is not null
    union all
    select
        target.target_code,
        first_delivery.day,
        1 as numerator_change,
        0 as denominator_change
    from target
    cross join first_delivery
    where target.measure = 'department_coverage'
),

by_day as (
    select
        target_code,
        day,
        sum(numerator_change) as numerator_change,
        sum(denominator_change) as denominator_change
    from change
    group by target_code, day
),

final as (
    select
        target_code,
        day,
        (sum(numerator_change) over up_to_now)::bigint as numerator,
        (sum(denominator_change) over up_to_now)::bigint as denominator
    from by_day
    window up_to_now as (partition by target_code order by day)
)

select * from final
