{{ config(materialized='steady_view') }}
with last_check as (
    -- A candidate that was built again was judged again: the last judgement let it through.
    select
        publication_id,
        gate_run_id,
        row_number() over (partition by publication_id order by max(gate_result_id) desc) as place
    from {{ source('ops', 'gate_result') }}
    where gate = 'publication'
    group by publication_id, gate_run_id
),

judged as (
    select
        result.publication_id,
        count(*) as gate_checks,
        count(*) filter (where result.state = 'passed') as gate_passed,
        count(*) filter (where result.state = 'waived') as gate_waived
    from {{ source('ops', 'gate_result') }} as result
    inner join last_check on result.gate_run_id = last_check.gate_run_id and last_check.place = 1
    group by result.publication_id
),

final as (
    select
        publication.publication_id,
        publication.business_date,
        publication.closed_at as published_at,
        publication.publication_id = (
            select pointer.publication_id from {{ source('ops', 'current_publication') }} as pointer
        ) as is_current,
        publication.publication_id = (select ops.reading_publication()) as is_read,
        (select ops.legal_day()) - publication.business_date as age_days,
        judged.gate_checks,
        judged.gate_passed,
        judged.gate_waived
    from {{ source('ops', 'publication') }} as publication
    left join judged on publication.publication_id = judged.publication_id
    where
        publication.state = 'published'
        and publication.publication_id not in (
            select pruned.publication_id from {{ source('ops', 'pruned_publication') }} as pruned
        )
)

select * from final
