-- depends_on: {{ ref('queryable_credit_record') }}
{{ config(version_key=['record_category', 'effect', 'subject_type']) }}
{%- set everything = rebuilds_everything() %}
{%- if everything %}
with final as (
    select
        record_category,
        effect,
        subject_type,
        count(distinct subject_key) as subjects
    from mart_store.queryable_credit_record
    where valid_to_publication is null and subject_key is not null
    group by record_category, effect, subject_type
)
{%- else %}
with changed as (
    select
        stored.subject_key,
        stored.record_category,
        stored.effect,
        stored.subject_type,
        bool_or(stored.valid_to_publication is null)::int - bool_or({{ stood_before('stored') }})::int as subjects
    from mart_store.queryable_credit_record as stored
    where {{ changed_by_candidate('stored') }} and stored.subject_key is not null
    group by stored.subject_key, stored.record_category, stored.effect, stored.subject_type
),

-- A subject that kept another record of the kind was counted before and still is.
held as (
    select changed.*
    from changed
    where
        changed.subjects <> 0
        and not exists (
            select 1 from mart_store.queryable_credit_record as kept
            where
                kept.subject_key = changed.subject_key
                and kept.record_category = changed.record_category
                and kept.effect = changed.effect
                and kept.subject_type is not distinct from changed.subject_type
                and {{ stood_before('kept') }}
                and kept.valid_to_publication is null
        )
),

counted as (
    select
        record_category,
        effect,
        subject_type,
        subjects
    from held
    union all
    select
        stored.record_category,
        stored.effect,
        stored.subject_type,
        stored.subjects
    from {{ built_relation('mart_store', 'credit_subject_tally') }} as stored
    where {{ stood_before('stored') }}
),

final as (
    select
        record_category,
        effect,
        subject_type,
        sum(subjects)::bigint as subjects
    from counted
    group by record_category, effect, subject_type
    having sum(subjects) <> 0
)
{%- endif %}

select * from final
