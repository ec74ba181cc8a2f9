{{ config(version_key='evidence_id') }}
with evidence as (
    select * from {{ source('ops', 'plan_evidence') }}
    where evidence_id <= {{ taken_in('evidence_through') }}
),

item as (
    select
        task_code as item_code,
        plan_code
    from {{ ref('plan_task') }}
    union all
    select
        target_code as item_code,
        plan_code
    from {{ ref('plan_target') }}
),

final as (
    select
        evidence.evidence_id,
        item.item_code,
        item.plan_code,
        evidence.kind,
        case evidence.kind
            when 'progress' then '进展'
            when 'completed' then '完成'
            when 'measured' then '计量'
            when 'withdrawn' then '撤回'
        end as kind_label,
        evidence.dated_on,
        evidence.value,
        evidence.note,
        evidence.document,
        evidence.entered_by,
        (evidence.entered_at at time zone 'Asia/Shanghai') as entered_at,
        evidence.withdraws,
        evidence.kind <> 'withdrawn' and withdrawal.evidence_id is null as is_standing
    from evidence
    inner join item on item.item_code in (evidence.task_code, evidence.target_code)
    left join evidence as withdrawal on evidence.evidence_id = withdrawal.withdraws
)

select * from final
