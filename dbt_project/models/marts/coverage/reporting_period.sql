{{ config(
    version_key=['feed', 'period_end'],
    version_indexes=[['due_on']],
    scope_model='affected_reporting_month',
    scope_key=['feed', 'month']
) }}
{%- set affected_month = ref('affected_reporting_month') %}
with feed as (
    select * from {{ ref('feed') }}
),

batch as (
    select * from {{ ref('settled_batch') }}
    where state = 'accepted' and business_date <= {{ business_date() }}
),

-- A feed owes reports from its first accepted delivery on; what is told anew begins with the first affected month.
beginning as (
    select
        batch.feed,
        min(batch.delivered_for) as day
    from batch
    group by batch.feed
),

span as (
    {% if rebuilds_everything() -%}
    select
        beginning.feed,
        beginning.day as begun_on,
        beginning.day as told_from
    from beginning
    {%- else -%}
    select
        beginning.feed,
        beginning.day as begun_on,
        greatest(beginning.day, min(affected.month)) as told_from
    from beginning
    inner join {{ affected_month }} as affected on beginning.feed = affected.feed
    group by beginning.feed, beginning.day
    {%- endif %}
),

calendar as (
    select * from {{ ref('working_day') }}
    where day >= (select min(span.told_from) from span)
),

outage as (
    {{ standing_entries('outage', ['scope', 'started_on']) }}
),

shut as (
    select distinct
        feed.feed,
        calendar.day
    from feed
    inner join outage on outage.scope in ('*', feed.source, feed.feed)
    inner join calendar on calendar.day between outage.started_on and outage.ended_on
),

-- The days of each feed: working days on which we could take its reports are counted, others are not.
feed_day as (
    select
        feed.feed,
        calendar.day,
        calendar.is_workday and shut.day is null as is_open,
        count(*) filter (where calendar.is_workday and shut.day is null) over by_day as open_number,
        count(*) filter (where calendar.is_workday and shut.day is not null) over by_day as shut_number
    from feed
    inner join span on feed.feed = span.feed
    inner join calendar on span.told_from <= calendar.day
    left join shut on feed.feed = shut.feed and calendar.day = shut.day
    window by_day as (partition by feed.feed order by calendar.day)
),

-- Nobody owes a report for a day nobody works: it belongs to the next working day's.
period as (
    select
        'daily' as report_period,
        coalesce(previous.day + 1, calendar.day) as period_start,
        calendar.day as period_end
    from calendar
    left join {{ ref('working_day') }} as previous
        on previous.is_workday and calendar.workday_number - 1 = previous.workday_number
    where calendar.is_workday
    union all
    select
        length.report_period,
        start.day::date as period_start,
        (start.day + length.span)::date - 1 as period_end
    from (
        values
        ('weekly', 'week', interval '7 days'),
        ('monthly', 'month', interval '1 month'),
        ('quarterly', 'quarter', interval '3 months'),
        ('half_yearly', 'year', interval '6 months'),
        ('yearly', 'year', interval '1 year')
    ) as length (report_period, unit, span)
    cross join lateral generate_series(
        date_trunc(length.unit, (select min(span.told_from) from span)::timestamp),
        {{ business_date() }}::timestamp,
        length.span
    ) as start (day)
),

owed as (
    select
        feed.feed,
        feed.source,
        feed.department_code,
        feed.catalogue_item_code,
        feed.report_period,
        date_trunc('month', period.period_end)::date as month,
        greatest(period.period_start, case feed.report_period when 'daily' then span.begun_on end) as period_start,
        period.period_end,
        feed_day.open_number + greatest(feed.report_sla_workdays, (not feed_day.is_open)::int) as due_number,
        feed_day.shut_number - (calendar.is_workday and not feed_day.is_open)::int as shut_before,
        lead(period.period_end) over (partition by feed.feed order by period.period_end) as next_period_end
    from feed
    inner join span on feed.feed = span.feed
    inner join period on feed.report_period = period.report_period and span.told_from <= period.period_end
    inner join feed_day on feed.feed = feed_day.feed and period.period_end = feed_day.day
    inner join calendar on period.period_end = calendar.day
    where period.period_end <= {{ business_date() }}
),

due as (
    select
        owed.*,
        due_day.day as due_on,
        coalesce(due_day.shut_number - owed.shut_before, 0) as outage_workdays
    from owed
    left join feed_day as due_day
        on owed.feed = due_day.feed and due_day.is_open and owed.due_number = due_day.open_number
    where {{ is_affected(['owed.feed', 'owed.month'], 'affected_reporting_month', ['feed', 'month']) }}
),

reach as (
    select
        due.feed,
        min(due.period_start) as first_day
    from due
    group by due.feed
),

-- What the source answered in the end of a night.
answer as (
    select distinct on (business_date, feed)
        business_date,
        feed,
        state
    from {{ source('ops', 'outcome') }}
    where
        step = 'settle'
        and feed is not null
        and business_date between (select min(reach.first_day) from reach) and {{ business_date() }}
    order by business_date asc, feed asc, outcome_id desc
),

-- A delivery counts on the day its sender gives it, whenever we took it.
report as (
    select
        told.feed,
        told.day,
        bool_and(told.is_zero) as is_zero
    from (
        select
            batch.feed,
            batch.delivered_for as day,
            batch.delivered_rows = 0 as is_zero
        from batch
        inner join reach on batch.feed = reach.feed and batch.delivered_for >= reach.first_day
        union all
        select
            answer.feed,
            answer.business_date as day,
            true as is_zero
        from answer
        where answer.state = 'unchanged'
    ) as told
    group by told.feed, told.day
),

-- The first report on or after a day, found in one pass over both.
next_report as (
    select distinct
        marked.feed,
        marked.day,
        min(marked.report_day) over (
            partition by marked.feed order by marked.day desc range unbounded preceding
        ) as report_day
    from (
        select
            report.feed,
            report.day,
            report.day as report_day
        from report
        union all
        select
            due.feed,
            due.period_end as day,
            null::date as report_day
        from due
    ) as marked
),

declared as (
    {{ standing_entries('zero_report', ['feed', 'reported_for']) }}
),

-- A period is answered by the first report made on its last day or later: all of the period can be in it. It may come
-- late until the next period has ended; after that it speaks of the next one. A daily feed has its whole SLA.
answered as (
    select
        due.*,
        least(
            case
                when
                    next_report.report_day <= due.due_on
                    or next_report.report_day < coalesce(due.next_period_end, 'infinity')
                    then next_report.report_day
            end,
            zero.reported_on
        ) as reported_on
    from due
    left join next_report
        on due.feed = next_report.feed and due.period_end = next_report.day
    left join lateral (
        select min(declared.reported_on) as reported_on
        from declared
        where
            declared.feed = due.feed
            and declared.reported_for between due.period_start and due.period_end
            and declared.reported_on <= {{ business_date() }}
    ) as zero on true
),

final as (
    select
        answered.feed,
        answered.source,
        answered.department_code,
        answered.catalogue_item_code,
        answered.report_period,
        answered.month,
        answered.period_start,
        answered.period_end,
        answered.due_on,
        answered.outage_workdays,
        answered.reported_on,
        case
            when answered.reported_on <= answered.due_on and coalesce(report.is_zero, true) then 'zero_report'
            when answered.reported_on <= answered.due_on then 'reported'
            when answered.due_on is null or answered.due_on >= {{ business_date() }} then 'not_due'
            when answered.reported_on is not null then 'late'
            when answered.outage_workdays > 0 then 'excused'
            else 'missing'
        end as state
    from answered
    left join report on answered.feed = report.feed and answered.reported_on = report.day
)

select * from final
