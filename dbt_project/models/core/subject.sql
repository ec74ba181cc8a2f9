{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_subject',
    scope_key='subject_key',
    on_schema_change='fail',
    post_hook='analyze {{ this }}',
    indexes=[{'columns': ['clean_since_month_day']}]
) }}
with record as (
    select * from {{ ref('credit_record') }}
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
        is_subject_register and status <> 'withdrawn' as is_registered
    from record
    order by
        subject_key asc,
        (is_subject_register and status <> 'withdrawn') desc,
        delivered_for desc,
        updated_at desc,
        batch_id desc,
        source_row desc
),

history as (
    select
        subject_key,
        min(first_received_on) as first_seen_on,
        max(delivered_for) as last_seen_on,
        -- A record may carry only a legacy code of the organisation.
        max(organisation_uscc) as organisation_uscc,
        min(first_taken_on) filter (where is_subject_register) as known_since,
        min(least(decision_date, first_received_on)) filter (where status <> 'withdrawn') as observed_since,
        max(least(ended_on, displayed_until + 1)) filter (
            where effect = 'adverse' and status <> 'withdrawn'
        ) as last_adverse_until,
        coalesce(bool_or(least(ended_on, displayed_until + 1) is null) filter (
            where effect = 'adverse' and status <> 'withdrawn'
        ), false) as has_endless_adverse
    from record
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
        history.known_since,
        history.first_seen_on,
        history.last_seen_on,
        history.has_endless_adverse,
        coalesce(history.last_adverse_until, history.observed_since) as clean_since,
        to_char(coalesce(history.last_adverse_until, history.observed_since), 'MMDD') as clean_since_month_day
    from naming
    inner join history on naming.subject_key = history.subject_key
)

select * from final
