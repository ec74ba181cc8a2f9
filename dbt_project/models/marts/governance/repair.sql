{{ config(version_key='repair_id', scope_model='affected_repair', scope_key='repair_id') }}
with event as (
    select
        record_event.record_key,
        record_event.effective_on as starts_on,
        {{ repair_id('record_event.event_id') }} as case_id,
        coalesce(
            batch.business_date, (record_event.entered_at at time zone 'Asia/Shanghai')::date
        ) as carried_out_on
    from {{ source('ops', 'record_event') }} as record_event
    left join {{ source('ops', 'batch') }} as batch on record_event.batch_id = batch.batch_id
    where
        record_event.kind = 'repair'
        and record_event.event_id <= {{ taken_in('events_through') }}
        and {{ is_affected('record_event.event_id', 'affected_repair', 'event_id') }}
),

{{ procedure_context('event', 'repair', 'sync') }},

final as (
    -- Whose record it is stays in the audited history: a repair must leave no trace here.
    select
        event.case_id as repair_id,
        record.feed,
        feed.department_code,
        event.starts_on as decided_on,
        due.due_on,
        due.deadline_source,
        event.carried_out_on,
        {{ workdays_between('beginning', 'ending') }} as workdays_taken,
        event.carried_out_on > due.due_on as is_overdue
    from event
    left join due on event.case_id = due.case_id
    left join record on event.record_key = record.record_key
    left join feed on record.feed = feed.feed
    left join working_day as beginning on event.starts_on = beginning.day
    left join working_day as ending on event.carried_out_on = ending.day
)

select * from final
