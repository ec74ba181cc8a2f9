-- depends_on: {{ ref('queryable_credit_record') }}
{{ config(
    version_key='subject_key',
    scope_model='affected_subject',
    scope_key='subject_key',
    version_indexes=[['organisation_uscc']],
    view_stale_keys=stale_subjects(),
    view_live_rows=live_profiles()
) }}
with subject as (
    select * from {{ ref('subject') }}
    where {{ is_affected('subject_key', 'affected_subject') }}
),

record as (
    select * from {{ ref('credit_record') }}
    where
        {{ is_affected('subject_key', 'affected_subject') }}
        and subject_key is not null
        and status in {{ queryable_statuses() }}
),

figures as (
    {{ profile_figures('record', business_date()) }}
),

final as (
    select
        subject.subject_key,
        subject.subject_type,
        subject.display_name,
        subject.organisation_uscc,
        subject.is_registered,
        subject.region_code,
        subject.registration_status,
        figures.records_in_force,
        figures.adverse_records,
        figures.neutral_records,
        figures.positive_records,
        figures.registrations,
        figures.qualifications,
        figures.licences,
        figures.penalties,
        figures.court_enforcements,
        figures.list_entries,
        figures.other_records,
        figures.lists,
        figures.past_records,
        figures.latest_adverse_on,
        figures.latest_positive_on,
        figures.latest_decision_on,
        figures.years_without_adverse,
        figures.tax_a_latest_year,
        figures.tax_a_years,
        figures.first_seen_on,
        figures.last_seen_on
    from subject
    -- A subject named only by records nobody may look up has no profile.
    inner join figures on subject.subject_key = figures.subject_key
)

select * from final
