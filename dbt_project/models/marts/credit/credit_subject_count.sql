{{ config(materialized='steady_view') }}
with counted as (
    select
        record_category,
        effect,
        subject_type,
        count(distinct subject_key) as subjects
    from {{ ref('queryable_credit_record') }}
    where subject_key is not null
    group by record_category, effect, subject_type
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
