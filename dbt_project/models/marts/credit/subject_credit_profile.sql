{{ config(
    version_key='subject_key',
    scope_model='affected_subject',
    scope_key='subject_key',
    version_indexes=[['organisation_uscc']]
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
        and status <> 'withdrawn'
),

in_force as (
    select
        subject_key,
        count(*)::int as records_in_force,
        count(*) filter (where effect = 'adverse')::int as adverse_records,
        count(*) filter (where effect = 'neutral')::int as neutral_records,
        count(*) filter (where effect = 'positive')::int as positive_records,
        count(*) filter (where record_category = '登记备案')::int as registrations,
        count(*) filter (where record_category = '资质资格')::int as qualifications,
        count(*) filter (where record_category = '行政许可')::int as licences,
        count(*) filter (where record_category = '行政处罚')::int as penalties,
        count(*) filter (where record_category = '判决执行')::int as court_enforcements,
        count(*) filter (where record_category = '红黑名单')::int as list_entries,
        count(*) filter (
            where record_category not in ('登记备案', '资质资格', '行政许可', '行政处罚', '判决执行', '红黑名单')
        )::int as other_records,
        coalesce(
            array_agg(distinct list_name order by list_name) filter (where list_name is not null), array[]::text[]
        ) as lists,
        max(decision_date) filter (where effect = 'adverse') as latest_adverse_on,
        max(decision_date) filter (where effect = 'positive') as latest_positive_on
    from record
    where status = 'in_force'
    group by subject_key
),

-- A scalar subquery, so that each row is looked up by its key: the planner has no idea how many rows the view has.
tax_a_year as (
    select
        record.subject_key,
        (
            select rating.rating_year
            from {{ ref('stg_tax__taxpayer_a_grade') }} as rating
            where rating.batch_id = record.batch_id and rating.source_row = record.source_row
        ) as rating_year
    from record
    where record.feed = 'tax.taxpayer_a_grade' and record.status = 'in_force'
),

tax_rating as (
    select
        subject_key,
        max(rating_year)::int as tax_a_latest_year,
        count(distinct rating_year)::int as tax_a_years
    from tax_a_year
    group by subject_key
),

history as (
    select
        subject_key,
        count(*) filter (where status in ('ended', 'expired'))::int as past_records,
        max(decision_date) as latest_decision_on
    from record
    group by subject_key
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
        coalesce(in_force.records_in_force, 0) as records_in_force,
        coalesce(in_force.adverse_records, 0) as adverse_records,
        coalesce(in_force.neutral_records, 0) as neutral_records,
        coalesce(in_force.positive_records, 0) as positive_records,
        coalesce(in_force.registrations, 0) as registrations,
        coalesce(in_force.qualifications, 0) as qualifications,
        coalesce(in_force.licences, 0) as licences,
        coalesce(in_force.penalties, 0) as penalties,
        coalesce(in_force.court_enforcements, 0) as court_enforcements,
        coalesce(in_force.list_entries, 0) as list_entries,
        coalesce(in_force.other_records, 0) as other_records,
        coalesce(in_force.lists, array[]::text[]) as lists,
        history.past_records,
        in_force.latest_adverse_on,
        in_force.latest_positive_on,
        history.latest_decision_on,
        case
            when in_force.adverse_records > 0 then 0
            else greatest(extract(year from age({{ business_date() }}, subject.clean_since))::int, 0)
        end as years_without_adverse,
        tax_rating.tax_a_latest_year,
        coalesce(tax_rating.tax_a_years, 0) as tax_a_years,
        subject.first_seen_on,
        subject.last_seen_on
    from subject
    -- A subject named by nothing but withdrawn records has no profile.
    inner join history on subject.subject_key = history.subject_key
    left join in_force on subject.subject_key = in_force.subject_key
    left join tax_rating on subject.subject_key = tax_rating.subject_key
)

select * from final
