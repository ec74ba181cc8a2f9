{%- set removals = "(select * from event where kind in ('revocation', 'objection_upheld'))" %}
{%- set repairs = "(select * from event where kind = 'repair')" %}
with event as (
    select
        record_event.*,
        record_event.event_id as case_id,
        record_event.effective_on as starts_on
    from {{ source('ops', 'record_event') }} as record_event
),

due as (
    (
        {{ deadlines(removals, 'revocation', 'withdraw') }}
    )
    union all
    (
        {{ deadlines(repairs, 'repair', 'sync') }}
    )
),

final as (
    select
        event.event_id,
        event.record_key,
        event.kind,
        event.effective_on,
        event.document_no,
        event.reason,
        event.objection_no,
        event.severity,
        event.entered_by,
        event.entered_at,
        event.feed,
        event.batch_id,
        event.source_row,
        due.due_on,
        (event.entered_at at time zone 'Asia/Shanghai')::date as entered_on,
        coalesce(batch.business_date, (event.entered_at at time zone 'Asia/Shanghai')::date) > due.due_on as is_late
    from event
    left join due on event.case_id = due.case_id
    left join {{ source('ops', 'batch') }} as batch on event.batch_id = batch.batch_id
)

select * from final
