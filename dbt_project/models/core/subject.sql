{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_subject',
    scope_key='subject_key',
    on_schema_change='fail',
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[{'columns': ['clean_since_month_day']}]
) }}
-- Read three times, so kept: only what is asked for.
with record as (
    select
        subject_key,
        subject_type,
        party_name,
        organisation_uscc,
        region_code,
        registration_status,
        is_subject_register,
        status,
        effect,
        decision_date,
        ended_on,
        displayed_until,
        first_taken_on,
        first_received_on,
        delivered_for,
        updated_at,
        batch_id,
        source_row
    from {{ ref('credit_record') }}
    where
        {{ is_affected('subject_key', 'affected_subject') }}
        and subject_key is not null
),

-- The register knows best what an organisation is called; then the sender who spoke last.
naming as (
    select distinct on (subject_key)
        subject_key,
        subject_type,
        party_name,
        region_code,
        registration_status,
        is_subject_register and status in {{ queryable_statuses() }} as is_registered
    from record
    order by
        subject_key asc,
        (is_subject_register and status in {{ queryable_statuses() }}) desc,
        delivered_for desc,
        updated_at desc,
        batch_id desc,
        source_row desc
),

registration as (
    select
        subject_key,
        min(first_taken_on) filter (where is_subject_register) as known_since
    from record
    group by subject_key
),

history as (
    select
        subject_key,
        -- A record may carry only a legacy code of the organisation.
        max(organisation_uscc) as organisation_uscc,
        {{ clean_since() }} as clean_since
    from record
    where status in {{ queryable_statuses() }}
    group by subject_key
),

final as (
    select
        naming.subject_key,
        naming.subject_type,
        naming.party_name as display_name,
        history.organisation_uscc,
        naming.is_registered,
        case when naming.is_registered then naming.region_code end as region_code,
        case when naming.is_registered then naming.registration_status end as registration_status,
        registration.known_since,
        history.clean_since,
        to_char(history.clean_since, 'MMDD') as clean_since_month_day
    from naming
    inner join registration on naming.subject_key = registration.subject_key
    left join history on naming.subject_key = history.subject_key
)

select * from final
