{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_record',
    scope_key='record_key',
    on_schema_change='fail',
    post_hook='analyze {{ this }}',
    indexes=[
        {'columns': ['subject_key']},
        {'columns': ['first_batch_id']},
        {'columns': ['ended_on']},
        {'columns': ['displayed_until']},
        {'columns': ['feed']},
    ]
) }}
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

catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

row_subject as (
    select * from {{ ref('row_subject') }}
    where {{ is_affected('record_key', 'affected_record') }}
),

working_day as (
    select * from {{ ref('working_day') }}
),

clocked as (
    select
        newest.*,
        row_subject.subject_key as resolved_subject_key,
        row_subject.subject_type as resolved_subject_type,
        catalogue_item.source,
        catalogue_item.record_category,
        catalogue_item.effect,
        catalogue_item.list_name,
        catalogue_item.is_subject_register,
        -- First day on which the record no longer holds.
        least(newest.removed_on, newest.valid_until + 1) as ended_on,
        -- Last day of the display clock; the sender may shorten the catalogue's term, never lengthen it.
        case
            when catalogue_item.effect = 'adverse'
                then least(
                    newest.display_until,
                    (newest.decision_date + make_interval(months => catalogue_item.display_months))::date
                )
            else newest.display_until
        end as displayed_until,
        {{ workdays_between('decided', 'received') }} as delay_workdays,
        catalogue_item.report_sla_workdays
    from newest
    inner join catalogue_item on newest.feed = catalogue_item.feed
    left join row_subject on newest.batch_id = row_subject.batch_id and newest.source_row = row_subject.source_row
    left join working_day as decided on newest.first_decision_date = decided.day
    left join working_day as received on newest.first_received_on = received.day
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
            when ended_on <= {{ business_date() }} then 'ended'
            when displayed_until < {{ business_date() }} then 'expired'
            else 'in_force'
        end as status,
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
        removed_on,
        removal_reason,
        delivered_status,
        ended_on,
        displayed_until,
        is_subject_register,
        region_code,
        registration_status,
        party_name,
        organisation_uscc,
        first_batch_id,
        first_taken_on,
        first_received_on,
        delay_workdays,
        delay_workdays <= report_sla_workdays as is_on_time,
        versions::int as versions
    from clocked
)

select * from final
