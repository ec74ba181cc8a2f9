{{ config(version_key=['task_code', 'role', 'unit_code', 'today_code']) }}
with final as (
    select
        named.task_code,
        named.role,
        case named.role when 'lead' then '牵头' else '责任' end as role_label,
        named.place as ordinal,
        unit.unit_code,
        unit.unit_name,
        unit.kind,
        unit.today_code,
        unit.today_name,
        unit.department_code
    from {{ source('ops', 'plan_task_unit') }} as named
    inner join {{ ref('plan_unit_today') }} as unit on named.unit_code = unit.unit_code
    inner join {{ source('ops', 'office') }} as office on unit.city = office.city
)

select * from final
