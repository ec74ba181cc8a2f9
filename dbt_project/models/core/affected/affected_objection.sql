{#- Compared with what the last publication holds, not with an earlier attempt of this run. -#}
{%- set published, affected_record = built_relation('mart_store', 'objection'), ref('affected_record') %}
{%- set event, affected_clock = source('ops', 'record_event'), ref('affected_clock') %}
with base as (
    {{ base_publication() }}
),

event as (
    select
        event.event_id,
        event.record_key,
        event.objection_no,
        {{ objection_id('event.record_key', 'event.objection_no') }} as objection_id
    from {{ event }} as event
    where event.objection_no is not null
),

-- Entered since; of a record that came, went or changed; or timed by other working days and deadlines.
concerned as (
    select event.* from event
    where event.event_id > (select base.events_through from base)
    union all
    select event.* from event
    where event.record_key in (select affected.record_key from {{ affected_record }} as affected)
    union all
    select event.* from event
    where exists (select from {{ affected_clock }})
    {% if published is not none -%}
    -- Undecided then, and its last day has gone by.
    union all
    select event.* from event
    where
        event.objection_id = any(array(
            select told.objection_id
            from {{ published }} as told
            cross join base
            where
                told.closed_on is null
                and told.due_on >= base.first_night
                and told.due_on < base.last_night
                and {{ stood_before('told') }}
        ))
    {%- endif %}
),

final as (
    select distinct
        record_key,
        objection_no,
        objection_id
    from concerned
)

select * from final
