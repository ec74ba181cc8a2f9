{{ config(materialized='steady_view') }}
with night as (
    select (select ops.reading_night()) as day
),

final as (
    select
        history.item_code,
        history.item_kind,
        history.plan_code,
        night.day as as_of,
        history.status,
        history.status_label,
        history.rule_code,
        history.rule_text,
        history.held_from,
        history.due_on,
        history.due_on - night.day as days_left,
        history.reached_on,
        history.last_evidence_on,
        history.value,
        history.numerator,
        history.denominator,
        history.denominator_name,
        history.is_small
    from {{ ref('plan_status_history') }} as history
    inner join night
        on history.held_from <= night.day and (history.held_until is null or history.held_until >= night.day)
)

select * from final
