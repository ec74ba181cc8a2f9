{{ config(
    version_key='objection_id',
    version_indexes=[['due_on']],
    scope_model='affected_objection',
    scope_key='objection_id'
) }}
with event as (
    select * from {{ source('ops', 'record_event') }}
    where
        objection_no is not null
        and event_id <= {{ taken_in('events_through') }}
        and {{ is_affected(['record_key', 'objection_no'], 'affected_objection') }}
),

filed as (
    select distinct on (record_key, objection_no)
        {{ objection_id('record_key', 'objection_no') }} as case_id,
        record_key,
        objection_no,
        effective_on as starts_on
    from event
    where kind = 'objection_filed'
    order by record_key asc, objection_no asc, event_id asc
),

closed as (
    select distinct on (record_key, objection_no)
        record_key,
        objection_no,
        kind,
        effective_on
    from event
    where kind in ('objection_upheld', 'objection_dismissed')
    order by record_key asc, objection_no asc, event_id asc
),

{{ procedure_context('filed', 'objection', 'decide') }},

final as (
    -- Whose record it is stays in the audited history: an upheld objection must leave no trace here.
    select
        filed.case_id as objection_id,
        filed.objection_no,
        record.feed,
        feed.department_code,
        filed.starts_on as filed_on,
        due.due_on,
        due.deadline_source,
        case closed.kind
            when 'objection_upheld' then '成立'
            when 'objection_dismissed' then '不成立'
            else '审核中'
        end as state,
        closed.effective_on as closed_on,
        {{ workdays_between('beginning', 'ending') }} as workdays_taken,
        coalesce(closed.effective_on, {{ business_date() }}) > due.due_on as is_overdue
    from filed
    left join closed on filed.record_key = closed.record_key and filed.objection_no = closed.objection_no
    left join due on filed.case_id = due.case_id
    left join record on filed.record_key = record.record_key
    left join feed on record.feed = feed.feed
    left join working_day as beginning on filed.starts_on = beginning.day
    left join working_day as ending on closed.effective_on = ending.day
)

select * from final
