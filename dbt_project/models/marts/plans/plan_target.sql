{{ config(version_key='target_code') }}
with plan as (
    select plan.* from {{ source('ops', 'plan') }} as plan
    inner join {{ source('ops', 'office') }} as office on plan.city = office.city
),

final as (
    select
        target.target_code,
        target.plan_code,
        plan.plan_title,
        target.place as ordinal,
        target.article,
        target.metric,
        target.target_value,
        target.milestone,
        target.scope_note,
        target.qualitative,
        target.deadline_kind,
        target.due_on,
        target.deadline_source,
        target.measure,
        target.population,
        target.group_names,
        target.denominator_name,
        plan.valid_from as plan_from,
        plan.valid_to as plan_to
    from {{ source('ops', 'plan_target') }} as target
    inner join plan on target.plan_code = plan.plan_code
)

select * from final
