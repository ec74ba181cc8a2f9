{{ config(materialized='steady_view') }}
with final as (
    select
        target.target_code,
        target.plan_code,
        target.plan_title,
        target.ordinal,
        target.article,
        target.metric,
        target.target_value,
        target.milestone,
        history.held_from,
        history.held_until,
        history.status,
        history.status_label,
        history.rule_code,
        history.rule_text,
        history.value,
        history.numerator,
        history.denominator,
        history.denominator_name,
        history.is_small,
        target.due_on,
        target.deadline_kind,
        target.deadline_source,
        history.reached_on,
        history.last_evidence_on
    from {{ ref('plan_status_history') }} as history
    inner join {{ ref('plan_target') }} as target on history.item_code = target.target_code
)

select * from final
