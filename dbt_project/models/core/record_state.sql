{{ config(materialized='steady_view') }}
-- Changes by officers and departments, folded. Order: day of effect, then entry.
with event as (
    select * from {{ source('ops', 'record_event') }}
    where event_id <= {{ taken_in('events_through') }}
),

removal as (
    select
        record_key,
        kind,
        effective_on,
        corrects_through
    from ops.removal_as_of({{ taken_in('events_through') }})
),

severity as (
    select distinct on (record_key)
        record_key,
        severity
    from event
    where kind = 'severity_finding'
    order by record_key asc, effective_on desc, event_id desc
),

open_objection as (
    select distinct filed.record_key
    from event as filed
    where
        filed.kind = 'objection_filed'
        and not exists (
            select 1
            from event as closed
            where
                closed.record_key = filed.record_key
                and closed.objection_no = filed.objection_no
                and closed.kind in ('objection_upheld', 'objection_dismissed')
        )
),

final as (
    select
        event.record_key,
        max(removal.kind) filter (where removal.kind in ('revocation', 'repair', 'objection_upheld')) as removed_by,
        max(removal.effective_on) filter (
            where removal.kind in ('revocation', 'repair', 'objection_upheld')
        ) as taken_away_on,
        max(removal.corrects_through) filter (where removal.kind = 'correction') as wrong_through,
        max(severity.severity) as found_severity,
        event.record_key in (select open_objection.record_key from open_objection) as is_under_objection,
        max(event.event_id) as newest_event_id
    from event
    left join removal on event.record_key = removal.record_key
    left join severity on event.record_key = severity.record_key
    group by event.record_key
)

select * from final
