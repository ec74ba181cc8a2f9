{{ config(materialized='steady_view') }}
with final as (
    select
        task.task_code,
        task.plan_code,
        task.plan_title,
        task.ordinal,
        task.article,
        task.task,
        task.lead_units,
        task.responsible_units,
        history.held_from,
        history.held_until,
        history.status,
        history.status_label,
        history.rule_code,
        history.rule_text,
        task.due_on,
        task.deadline_kind,
        task.deadline_source,
        history.reached_on,
        history.last_evidence_on
    from {{ ref('plan_status_history') }} as history
    inner join {{ ref('plan_task') }} as task on history.item_code = task.task_code
)

select * from final
