{%- set event = source('ops', 'record_event') %}
with base as (
    {{ base_publication() }}
),

-- Entered since; of a record that came, went or changed; or timed by other working days and deadlines.
concerned as (
    select event.event_id
    from {{ event }} as event
    where event.kind = 'repair' and event.event_id > (select base.events_through from base)
    union
    select event.event_id
    from {{ event }} as event
    where
        event.kind = 'repair'
        and event.record_key in (select affected.record_key from {{ ref('affected_record') }} as affected)
    union
    select event.event_id
    from {{ event }} as event
    where event.kind = 'repair' and exists (select from {{ ref('affected_clock') }})
),

final as (
    select
        event_id,
        {{ repair_id('event_id') }} as repair_id
    from concerned
)

select * from final
