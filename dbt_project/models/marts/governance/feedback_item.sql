{{ config(
    version_key='rejection_id',
    scope_model='affected_rejection',
    scope_key='rejection_id',
    version_indexes=[['batch_id'], ['feed', 'opened_on'], ['feed', 'closed_on']]
) }}
with rejection as (
    select * from {{ source('quarantine', 'rejected_row') }}
    -- Rows of before packages were sent are nobody's feedback.
    where is_key_whole is not null and {{ is_affected('rejection_id', 'affected_rejection') }}
),

-- What is closed while a candidate is being built waits for the next one.
closing as (
    select
        rejection_id,
        outcome,
        closed_on
    from rejection
    where closing_id <= {{ taken_in('closings_through') }}
),

batch as (
    select * from {{ ref('settled_batch') }}
),

feed as (
    select * from {{ ref('feed') }}
),

night as (
    select distinct
        business_date::text as case_id,
        business_date as starts_on
    from batch
),

due as (
    {{ deadlines('night', 'feedback', 'correct') }}
),

working_day as (
    select * from {{ ref('working_day') }}
),

error as (
    select
        rejection.rejection_id,
        array_agg((told.violation ->> 'error_code')::int order by told.position) as error_codes,
        array_agg(told.violation ->> 'rule' order by told.position) as rules,
        array_agg(told.violation ->> 'field' order by told.position) as fields
    from rejection
    cross join lateral jsonb_array_elements(rejection.violations) with ordinality as told (violation, position)
    group by rejection.rejection_id
),

final as (
    select
        rejection.rejection_id,
        rejection.batch_id,
        rejection.source_row,
        rejection.feed,
        feed.department_code,
        error.error_codes,
        error.rules,
        error.fields,
        rejection.is_key_whole,
        batch.business_date as opened_on,
        due.due_on,
        closing.closed_on,
        coalesce(closing.outcome, 'open') as outcome,
        case closing.outcome
            when 'corrected' then '已修改'
            when 'ignored' then '已忽略'
            when 'rerejected' then '再次退回'
            when 'duplicate' then '批内重复'
            else '未处理'
        end as outcome_label,
        {{ workdays_between('opening', 'ending') }} as workdays,
        coalesce(closing.outcome = 'corrected', false) and closing.closed_on <= due.due_on as is_corrected_in_time
    from rejection
    inner join batch on rejection.batch_id = batch.batch_id
    inner join feed on rejection.feed = feed.feed
    inner join error on rejection.rejection_id = error.rejection_id
    left join closing on rejection.rejection_id = closing.rejection_id
    left join due on batch.business_date::text = due.case_id
    left join working_day as opening on batch.business_date = opening.day
    left join working_day as ending on closing.closed_on = ending.day
)

select * from final
