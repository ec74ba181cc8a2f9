{{ config(version_key=['item_code', 'held_from']) }}
with parameter as (
    select
        max(value) filter (where name = 'at_risk_days')::int as at_risk_days,
        max(value) filter (where name = 'stale_days')::int as stale_days
    from {{ source('ops', 'plan_parameter') }}
    where valid_from <= {{ business_date() }} and (valid_to is null or valid_to >= {{ business_date() }})
),

item as (
    select
        task_code as item_code,
        'task' as item_kind,
        plan_code,
        due_on,
        plan_from,
        plan_to,
        null::numeric as target_value,
        false as qualitative,
        null as denominator_name
    from {{ ref('plan_task') }}
    union all
    select
        target_code as item_code,
        'target' as item_kind,
        plan_code,
        due_on,
        plan_from,
        plan_to,
        target_value,
        qualitative,
        denominator_name
    from {{ ref('plan_target') }}
),

evidence as (
    select
        item_code,
        dated_on as day,
        evidence_id,
        kind,
        value
    from {{ ref('plan_evidence') }}
    where is_standing
),

-- Whether the item is reached as far as evidence goes: the last word of the day.
finding as (
    select distinct on (evidence.item_code, evidence.day)
        evidence.item_code,
        evidence.day,
        evidence.value,
        evidence.kind = 'completed' or evidence.value >= item.target_value as is_reached
    from evidence
    inner join item on evidence.item_code = item.item_code
    where evidence.kind in ('completed', 'measured')
    order by evidence.item_code asc, evidence.day asc, evidence.evidence_id desc
),

-- What is measured changes on many days: carried on as a running sum, not looked up for each.
measure as (
    select
        target_code as item_code,
        day,
        numerator - lag(numerator, 1, 0::bigint) over by_target as numerator_change,
        denominator - lag(denominator, 1, 0::bigint) over by_target as denominator_change
    from {{ ref('plan_target_measure') }}
    window by_target as (partition by target_code order by day)
),

-- Between two of these days nothing about an item can change.
breakpoint as (
    select
        item_code,
        plan_from as day
    from item
    union
    select
        item.item_code,
        item.due_on - parameter.at_risk_days as day
    from item cross join parameter
    where item.due_on is not null
    union
    select
        item_code,
        coalesce(due_on, plan_to) + 1 as day
    from item
    union
    select
        item.item_code,
        item.plan_from + parameter.stale_days + 1 as day
    from item cross join parameter
    union
    select
        item_code,
        day
    from evidence
    union
    select
        evidence.item_code,
        evidence.day + parameter.stale_days + 1 as day
    from evidence cross join parameter
    union
    select
        item_code,
        day
    from measure
),

evidence_day as (
    select distinct
        item_code,
        day
    from evidence
),

latest as (
    select
        breakpoint.item_code,
        breakpoint.day,
        max(evidence_day.day) over up_to_now as evidence_day,
        max(finding.day) over up_to_now as finding_day,
        (sum(measure.numerator_change) over up_to_now)::bigint as numerator,
        (sum(measure.denominator_change) over up_to_now)::bigint as denominator
    from breakpoint
    left join evidence_day
        on breakpoint.item_code = evidence_day.item_code and breakpoint.day = evidence_day.day
    left join finding on breakpoint.item_code = finding.item_code and breakpoint.day = finding.day
    left join measure on breakpoint.item_code = measure.item_code and breakpoint.day = measure.day
    window up_to_now as (partition by breakpoint.item_code order by breakpoint.day)
),

-- What the warehouse measures goes before what was reported, from the day its register holds somebody.
known as (
    select
        latest.item_code,
        latest.day,
        latest.evidence_day,
        coalesce(latest.denominator > 0, false) as is_measured,
        case when latest.denominator > 0 then latest.numerator end as numerator,
        case when latest.denominator > 0 then latest.denominator end as denominator,
        case
            when latest.denominator > 0 then round(100.0 * latest.numerator / latest.denominator, 2)
            else finding.value
        end as value,
        case
            when latest.denominator > 0 then 100 * latest.numerator >= item.target_value * latest.denominator
            else coalesce(finding.is_reached, false)
        end as is_reached
    from latest
    inner join item on latest.item_code = item.item_code
    left join finding on latest.item_code = finding.item_code and latest.finding_day = finding.day
),

dated as (
    select
        *,
        min(day) filter (where is_reached) over (partition by item_code order by day) as first_reached_on
    from known
),

judged as (
    select
        item.*,
        dated.day,
        dated.evidence_day as last_evidence_on,
        dated.numerator,
        dated.denominator,
        dated.value,
        case when dated.is_reached then dated.first_reached_on end as reached_on,
        case
            when dated.is_reached and dated.first_reached_on <= item.due_on then 'met_on_time'
            when dated.is_reached and item.due_on is not null then 'met_late'
            when dated.is_reached and item.item_kind = 'target' then 'met_ongoing'
            when dated.evidence_day is null and item.qualitative then 'qualitative'
            when dated.evidence_day is null and not dated.is_measured and item.denominator_name is not null
                then 'denominator_unknown'
            when dated.day > item.due_on and (dated.evidence_day is not null or dated.is_measured) then 'overdue'
            when dated.day > item.due_on then 'never_evidenced'
            when
                item.due_on is null and dated.day > item.plan_to
                and dated.evidence_day is null and not dated.is_measured
                then 'never_evidenced_ongoing'
            when dated.day >= item.due_on - parameter.at_risk_days then 'at_risk_deadline'
            when
                not dated.is_measured
                and dated.day - greatest(dated.evidence_day, item.plan_from) > parameter.stale_days
                then 'at_risk_stale'
            else 'on_track'
        end as rule_code
    from dated
    inner join item on dated.item_code = item.item_code
    cross join parameter
    where dated.day >= item.plan_from
),

shown as (
    select
        *,
        row(rule_code, value, numerator, denominator, last_evidence_on, reached_on) as facts
    from judged
),

compared as (
    select
        *,
        lag(facts) over (partition by item_code order by day) as facts_before
    from shown
),

stretch as (
    select
        *,
        lead(day) over (partition by item_code order by day) - 1 as held_until
    from compared
    where facts is distinct from facts_before
),

final as (
    select
        stretch.item_code,
        stretch.item_kind,
        stretch.plan_code,
        stretch.day as held_from,
        stretch.held_until,
        rule.status,
        rule.status_label,
        stretch.rule_code,
        replace(
            replace(rule.rule_text, '{at_risk_days}', parameter.at_risk_days::text),
            '{stale_days}', parameter.stale_days::text
        ) as rule_text,
        stretch.due_on,
        stretch.reached_on,
        stretch.last_evidence_on,
        stretch.value,
        stretch.numerator,
        stretch.denominator,
        case when stretch.denominator is not null then stretch.denominator_name end as denominator_name,
        stretch.denominator < {{ small_count(business_date()) }} as is_small
    from stretch
    inner join {{ source('ops', 'plan_status_rule') }} as rule on stretch.rule_code = rule.rule_code
    cross join parameter
)

select * from final
