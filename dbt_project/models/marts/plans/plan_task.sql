{{ config(version_key='task_code') }}
with plan as (
    select plan.* from {{ source('ops', 'plan') }} as plan
    inner join {{ source('ops', 'office') }} as office on plan.city = office.city
),

-- 市市场监管局（原市工商局）, or only the name where it is the same.
unit as (
    select
        task_code,
        role,
        ordinal,
        unit_code,
        string_agg(today_name, '、' order by today_name)
        || case when max(today_code) = unit_code then '' else '（原' || unit_name || '）' end as shown_as
    from {{ ref('plan_task_unit') }}
    group by task_code, role, ordinal, unit_code, unit_name
),

named as (
    select
        task_code,
        array_agg(shown_as order by ordinal) filter (where role = 'lead') as lead_units,
        array_agg(shown_as order by ordinal) filter (where role = 'responsible') as responsible_units
    from unit
    group by task_code
),

final as (
    select
        task.task_code,
        task.plan_code,
        plan.plan_title,
        task.place as ordinal,
        task.article,
        task.task,
        coalesce(named.lead_units, array[]::text[]) as lead_units,
        coalesce(named.responsible_units, array[]::text[]) as responsible_units,
        task.deadline_kind,
        task.due_on,
        task.deadline_source,
        plan.valid_from as plan_from,
        plan.valid_to as plan_to
    from {{ source('ops', 'plan_task') }} as task
    inner join plan on task.plan_code = plan.plan_code
    left join named on task.task_code = named.task_code
)

select * from final
