{%- set affected_feed = ref('affected_feed') %}
{%- set event, decision = source('ops', 'record_event'), source('ops', 'match_decision') %}
{%- set delivered_row, affected_identity = ref('delivered_row'), ref('affected_identity') %}
{%- set known = built_relation('core', 'credit_record') %}
{%- set everything = flags.FULL_REFRESH or known is none %}
with delivered as (
    select record_key
    from {{ delivered_row }}
    where
        {{ everything }}
        or batch_id = any(array(select changed_batch.batch_id from {{ ref('changed_batch') }} as changed_batch))
),

{% if known is not none -%}
base as (
    {{ base_publication() }}
),

-- In force in the base publication and no longer, or the other way round, because days have passed.
timed as (
    select record.record_key
    from {{ known }} as record
    cross join base
    where
        (record.ended_on > base.first_night and record.ended_on <= base.last_night)
        or (record.displayed_until >= base.first_night and record.displayed_until < base.last_night)
        or (record.usable_until >= base.first_night and record.usable_until < base.last_night)
),

-- Changed by an officer or a department since the base publication.
changed as (
    select event.record_key
    from {{ event }} as event
    cross join base
    where
        event.event_id > base.events_through
        and event.event_id <= {{ taken_in('events_through') }}
),

-- Linked, or no longer, by a reviewer.
decided as (
    select decision.record_key
    from {{ decision }} as decision
    cross join base
    where
        decision.decision_id > base.decisions_through
        and decision.decision_id <= {{ taken_in('decisions_through') }}
),

-- Delivered under an identifier whose owner or name may be another one now; a USCC is always its own.
resolved as (
    select record_key
    from {{ delivered_row }}
    where
        id_type <> 'uscc'
        and subject_key = any(array(
            select affected_identity.identity_key from {{ affected_identity }} as affected_identity
        ))
    union
    -- Linked to what is now another one's.
    select decision.record_key
    from {{ decision }} as decision
    where
        decision.subject_key in (
            select affected_identity.identity_key from {{ affected_identity }} as affected_identity
        )
),

catalogue as (
    select record.record_key
    from {{ known }} as record
    where record.feed = any(array(select affected_feed.feed from {{ affected_feed }} as affected_feed))
),

{% endif -%}
final as (
    select record_key from delivered
    {% if known is not none -%}
    union
    select record_key from timed
    union
    select record_key from changed
    union
    select record_key from decided
    union
    select record_key from resolved
    union
    select record_key from catalogue
    {%- else -%}
    group by record_key
    {%- endif %}
)

select * from final
