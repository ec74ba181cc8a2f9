{{ config(materialized='steady_view') }}
with gone as (
    {{ gone_records() }}
),

-- Subjects whose last record of the kind is gone.
left_out as (
    select distinct
        gone.subject_key,
        gone.record_category,
        gone.effect,
        gone.subject_type
    from gone
    where
        gone.subject_key is not null
        and not exists (
            select 1 from {{ ref('queryable_credit_record') }} as record
            where
                record.subject_key = gone.subject_key
                and record.record_category = gone.record_category
                and record.effect = gone.effect
                and record.subject_type = gone.subject_type
        )
),

counted as (
    select
        record_category,
        effect,
        subject_type,
        sum(subjects)::bigint as subjects
    from (
        select
            record_category,
            effect,
            subject_type,
            subjects
        from {{ ref('credit_subject_tally') }}
        union all
        select
            record_category,
            effect,
            subject_type,
            -1 as subjects
        from left_out
    ) as kind
    group by record_category, effect, subject_type
    having sum(subjects) > 0
),

shown as (
    select
        counted.record_category,
        counted.effect,
        counted.subject_type,
        {{ shown('counted.subjects') }} as subjects
    from counted
),

final as (
    select
        record_category,
        effect,
        subject_type,
        subjects,
        subjects is null as is_suppressed
    from shown
)

select * from final
