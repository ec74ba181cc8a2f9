{#- A subject's figures from its records: one row per subject_key. The same text fills the mart and, in its view, the
    rows of subjects something has happened to since, so that both cannot differ. `records` has the columns of
    queryable_credit_record; `night` is the day the years are counted to. -#}
{% macro profile_figures(records, night) -%}
    select
        subject_key,
        count(*) filter (where status = 'in_force')::int as records_in_force,
        count(*) filter (where status = 'in_force' and effect = 'adverse')::int as adverse_records,
        count(*) filter (where status = 'in_force' and effect = 'neutral')::int as neutral_records,
        count(*) filter (where status = 'in_force' and effect = 'positive')::int as positive_records,
        {% for column, category in [
            ('registrations', '登记备案'),
            ('qualifications', '资质资格'),
            ('licences', '行政许可'),
            ('penalties', '行政处罚'),
            ('court_enforcements', '判决执行'),
            ('list_entries', '红黑名单'),
        ] -%}
        count(*) filter (where status = 'in_force' and record_category = '{{ category }}')::int as {{ column }},
        {% endfor -%}
        count(*) filter (
            where status = 'in_force'
                and record_category not in ('登记备案', '资质资格', '行政许可', '行政处罚', '判决执行', '红黑名单')
        )::int as other_records,
        coalesce(
            array_agg(distinct list_name order by list_name)
                filter (where status = 'in_force' and list_name is not null),
            array[]::text[]
        ) as lists,
        count(*) filter (where status <> 'in_force')::int as past_records,
        max(decision_date) filter (where status = 'in_force' and effect = 'adverse') as latest_adverse_on,
        max(decision_date) filter (where status = 'in_force' and effect = 'positive') as latest_positive_on,
        max(decision_date) as latest_decision_on,
        case
            when bool_or(status = 'in_force' and effect = 'adverse') then 0
            else greatest(extract(year from age({{ night }}, {{ clean_since() }}))::int, 0)
        end as years_without_adverse,
        max(rating_year) filter (where status = 'in_force' and feed = 'tax.taxpayer_a_grade')::int as tax_a_latest_year,
        count(distinct rating_year) filter (
            where status = 'in_force' and feed = 'tax.taxpayer_a_grade'
        )::int as tax_a_years,
        min(first_received_on) as first_seen_on,
        max(delivered_for) as last_seen_on
    from {{ records }}
    group by subject_key
{%- endmacro %}

{#- Aggregate: since when a subject is without an adverse record; without any, since it was first told of. -#}
{% macro clean_since() -%}
    coalesce(
        max(least(ended_on, displayed_until + 1)) filter (where effect = 'adverse'),
        min(least(decision_date, first_received_on))
    )
{%- endmacro %}

{#- Rows of mart.subject_credit_profile for stale subjects, computed from what may be queried now. -#}
{% macro live_profiles() -%}
    select
        profile.subject_key,
        profile.subject_type,
        profile.display_name,
        profile.organisation_uscc,
        profile.is_registered,
        profile.region_code,
        profile.registration_status,
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
    from mart_store.subject_credit_profile as profile
    inner join (
        {{ profile_figures(
            '(select * from mart.queryable_credit_record where subject_key in (select stale.subject_key from stale)) as record',
            '(select ops.reading_night())'
        ) }}
    ) as figures on profile.subject_key = figures.subject_key
    where {{ in_publication('profile') }}
{%- endmacro %}
