{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_record',
    scope_key='record_key',
    on_schema_change='fail',
    pre_hook='{{ plan_for_everything() }}',
    distinct_share={'first_batch_id': 0.01, 'subject_key': 0.1},
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[
        {'columns': ['subject_key']},
        {'columns': ['first_batch_id']},
        {'columns': ['ended_on']},
        {'columns': ['displayed_until']},
        {'columns': ['usable_until']},
        {'columns': ['feed', 'decision_date']},
    ]
) }}
{%- set started_on = display_start('governed', 'decided') %}
with delivery as (
    select * from {{ ref('credit_record_delivery') }}
    where {{ is_affected_in_union('record_key', 'affected_record') }}
),

-- What the sender changed last counts, whatever order the nights were loaded in: a file may repeat an older version.
versioned as (
    select
        *,
        lead(batch_id) over by_change is null as is_newest,
        first_value(batch_id) over by_delivery as first_batch_id,
        first_value(delivered_for) over by_delivery as first_received_on,
        first_value(decision_date) over by_delivery as first_decision_date,
        min(business_date) over (partition by record_key) as first_taken_on,
        count(*) over (partition by record_key) as versions
    from delivery
    window
        by_change as (partition by record_key order by updated_at, delivered_for, batch_id, source_row),
        by_delivery as (partition by record_key order by delivered_for, updated_at, batch_id, source_row)
),

newest as (
    select * from versioned
    where is_newest
),

feed as (
    select * from {{ ref('feed') }}
),

catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

legal_basis as (
    select * from {{ source('ops', 'legal_basis') }}
),

display_rule as (
    select * from {{ source('ops', 'display_rule') }}
),

record_state as (
    select * from {{ ref('record_state') }}
),

row_subject as (
    select * from {{ ref('row_subject') }}
    where {{ is_affected('record_key', 'affected_record') }}
),

working_day as (
    select * from {{ ref('working_day') }}
),

-- The catalogue as it stood on the day of the decision, and what was decided about the record since it came.
governed as (
    select
        newest.*,
        row_subject.subject_key as resolved_subject_key,
        row_subject.subject_type as resolved_subject_type,
        feed.source,
        feed.record_category,
        feed.effect,
        feed.list_name,
        feed.is_subject_register,
        feed.catalogue_item_code,
        item.version as catalogue_version,
        item.display_class,
        item.use_months,
        item.use_starts,
        item.report_sla_workdays,
        item.withdrawn_on as item_withdrawn_on,
        -- The sender may narrow the catalogue's tier, never widen it.
        case
            when 'authorised' in (item.sharing_tier, newest.usage_scope) then 'authorised'
            when 'government' in (item.sharing_tier, newest.usage_scope) then 'government'
            else item.sharing_tier
        end as sharing_tier,
        concat_ws(' ', basis.legal_basis_name, basis.legal_basis_article) as legal_basis,
        basis.catalogue_item_code is not null as has_legal_basis,
        record_state.taken_away_on,
        case
            when newest.updated_at <= record_state.wrong_through then 'objection_upheld'
            else record_state.removed_by
        end as removed_by,
        coalesce(record_state.is_under_objection, false) as is_under_objection,
        coalesce(record_state.found_severity, newest.severity, '未定') as shown_severity,
        case
            when record_state.found_severity is not null then 'finding'
            when newest.severity is not null then 'delivered'
        end as severity_source
    from newest
    inner join feed on newest.feed = feed.feed
    left join catalogue_item as item
        on
            feed.catalogue_item_code = item.catalogue_item_code
            and {{ holds_on('item', 'newest.decision_date') }}
    left join legal_basis as basis
        on
            item.catalogue_item_code = basis.catalogue_item_code
            and item.version = basis.version
            and {{ holds_on('basis', 'newest.decision_date') }}
    left join row_subject on newest.batch_id = row_subject.batch_id and newest.source_row = row_subject.source_row
    left join record_state on newest.record_key = record_state.record_key
),

-- The display rules of the day of the decision, and those of tonight.
ruled as (
    select
        governed.*,
        -- First day on which the record no longer holds.
        least(governed.removed_on, governed.valid_until + 1) as ended_on,
        decided.regime as regime_decided,
        present.regime as regime_present,
        present.valid_from as present_from,
        decided.min_months,
        {{ started_on }} as display_started_on,
        {{ display_end(started_on, 'decided') }} as display_end_decided,
        {{ display_end_after_transition(started_on, 'decided', 'present') }} as display_end_present
    from governed
    left join display_rule as decided
        on
            governed.display_class = decided.display_class
            and governed.shown_severity = decided.severity
            and {{ holds_on('decided', 'governed.decision_date') }}
    left join display_rule as present
        on
            governed.display_class = present.display_class
            and governed.shown_severity = present.severity
            and {{ holds_on('present', business_date()) }}
),

displayed as (
    select
        *,
        -- The sender may shorten the catalogue's term, never lengthen it.
        least(display_end_decided, display_end_present, display_until) as displayed_until
    from ruled
),

clocked as (
    select
        displayed.*,
        -- Display over and no end known: use is counted from there, so that no record is used for ever.
        (
            case displayed.use_starts
                when 'finding' then displayed.decision_date
                else coalesce(displayed.conduct_ended_on, displayed.ended_on, displayed.displayed_until)
            end + make_interval(months => displayed.use_months)
        )::date as usable_until,
        {{ workdays_between('decided', 'received') }} as delay_workdays,
        due.day as report_due_on
    from displayed
    left join working_day as decided on displayed.first_decision_date = decided.day
    left join working_day as received on displayed.first_received_on = received.day
    left join working_day as due
        on
            due.is_workday
            and decided.workday_number + displayed.report_sla_workdays = due.workday_number
),

final as (
    select
        record_key,
        resolved_subject_key as subject_key,
        resolved_subject_type as subject_type,
        feed,
        source,
        batch_id,
        source_row,
        business_date,
        delivered_for,
        updated_at,
        case
            when is_withdrawal then 'withdrawn'
            when removed_by = 'revocation' then 'revoked'
            when removed_by = 'repair' then 'repaired'
            when removed_by = 'objection_upheld' then 'annulled'
            when catalogue_version is null or not has_legal_basis then 'outside_catalogue'
            when item_withdrawn_on <= {{ business_date() }} then 'outside_catalogue'
            when usable_until < {{ business_date() }} then 'unusable'
            when ended_on <= {{ business_date() }} then 'ended'
            when displayed_until < {{ business_date() }} then 'expired'
            else 'in_force'
        end as status,
        catalogue_item_code,
        catalogue_version,
        sharing_tier,
        legal_basis,
        record_category,
        effect,
        list_name,
        title,
        content,
        document_no,
        authority_name,
        amount_cny,
        decision_date,
        valid_from,
        valid_until,
        listed_on,
        published_on,
        removed_on,
        removal_reason,
        delivered_status,
        shown_severity as severity,
        severity_source,
        penalty_kinds,
        rating_year,
        ended_on,
        display_started_on,
        displayed_until,
        {{ display_note() }} as display_note,
        (display_started_on + make_interval(months => min_months))::date as repairable_from,
        usable_until,
        is_under_objection,
        taken_away_on,
        is_subject_register,
        region_code,
        registration_status,
        party_name,
        organisation_uscc,
        first_batch_id,
        first_taken_on,
        first_received_on,
        report_due_on,
        delay_workdays,
        delay_workdays <= report_sla_workdays as is_on_time,
        versions::int as versions
    from clocked
)

select * from final
{{ laid_out_by('subject_key') }}
