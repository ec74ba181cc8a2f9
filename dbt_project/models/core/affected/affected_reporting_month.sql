{#- Compared with what the last publication holds, not with an earlier attempt of this run. -#}
{%- set published = built_relation('mart_store', 'reporting_period') %}
{%- set terms = built_relation('mart_store', 'feed') %}
{%- set batch, outcome = source('ops', 'batch'), source('ops', 'outcome') %}
{%- set outage, zero_report = source('ops', 'outage'), source('ops', 'zero_report') %}
{%- set changed_batch = ref('changed_batch') %}
{%- set affected_feed, affected_clock = ref('affected_feed'), ref('affected_clock') %}
with feed as (
    select * from {{ ref('feed') }}
),

beginning as (
    select
        feed,
        min(delivered_for) as day
    from {{ ref('settled_batch') }}
    where state = 'accepted' and business_date <= {{ business_date() }}
    group by feed
),

{% if published is not none -%}
base as (
    {{ base_publication() }}
),

told as not materialized (
    select
        stored.feed,
        stored.month,
        stored.period_start,
        stored.period_end,
        stored.due_on
    from {{ published }} as stored
    where {{ stood_before('stored') }}
),

-- Days of deliveries and answers that one of the two publications knows and the other does not.
answered as (
    select
        batch.feed,
        batch.delivered_for as day
    from {{ batch }} as batch
    where batch.batch_id in (select changed_batch.batch_id from {{ changed_batch }} as changed_batch)
    union
    select
        batch.feed,
        batch.delivered_for as day
    from {{ batch }} as batch
    where
        batch.business_date > (select base.first_night from base)
        and batch.business_date <= (select base.last_night from base)
    union
    select
        outcome.feed,
        outcome.business_date as day
    from {{ outcome }} as outcome
    where
        outcome.feed is not null
        and outcome.step = 'settle'
        and (
            coalesce(outcome.finished_at, outcome.started_at) >= (select base.opened_at from base)
            or (
                outcome.business_date > (select base.first_night from base)
                and outcome.business_date <= (select base.last_night from base)
            )
        )
),

-- Every period of a feed: its terms or the working days changed, its first report is another, or it is none any more.
turned as (
    select affected_feed.feed
    from {{ affected_feed }} as affected_feed
    union
    select affected_clock.feed
    from {{ affected_clock }} as affected_clock
    union
    select answered.feed
    from answered
    left join beginning on answered.feed = beginning.feed
    where beginning.day is null or answered.day <= beginning.day
    {% if terms is not none -%}
    union
    select gone.feed
    from {{ terms }} as gone
    where {{ stood_before('gone') }} and gone.feed not in (select feed.feed from feed)
    {%- endif %}
),

-- Days of since, and that night itself, for what stood open then. A day may speak to the period it lies in, to the last
-- one before it, which may be reported late until the next one ends, and to all that were not overdue on it.
looked_at as (
    select
        answered.feed,
        answered.day
    from answered
    union
    select
        feed.feed,
        base.first_night as day
    from feed
    cross join base
),

open_period as (
    select
        told.feed,
        told.month
    from looked_at
    inner join told on looked_at.feed = told.feed and looked_at.day >= told.period_end
    where told.due_on is null or told.due_on >= looked_at.day
    union
    select
        looked_at.feed,
        neighbour.month
    from looked_at
    cross join lateral (
        (
            select told.month
            from told
            where told.feed = looked_at.feed and told.period_end <= looked_at.day
            order by told.period_end desc
            limit 1
        )
        union all
        (
            select told.month
            from told
            where told.feed = looked_at.feed and told.period_end >= looked_at.day
            order by told.period_end asc
            limit 1
        )
    ) as neighbour
),

-- An entry about our own outage, or a zero report, was made or taken back, or begins to count.
entered as (
    select
        told.feed,
        told.month
    from {{ outage }} as outage
    cross join base
    inner join feed on outage.scope in ('*', feed.source, feed.feed)
    inner join told
        on
            feed.feed = told.feed
            and outage.ended_on >= told.period_end
            and (told.due_on is null or outage.started_on <= told.due_on)
    where {{ entered_since('base', 'outage') }}
    union
    select
        told.feed,
        told.month
    from {{ zero_report }} as zero_report
    cross join base
    inner join told
        on
            zero_report.feed = told.feed
            and zero_report.reported_for between told.period_start and told.period_end
    where
        {{ entered_since('base', 'zero_report') }}
        or (zero_report.reported_on > base.first_night and zero_report.reported_on <= base.last_night)
),

{% endif -%}
-- Months of days that one of the two publications reaches and the other does not; every month of a feed that turned.
final as (
    {% if published is none -%}
    select
        beginning.feed,
        month.day::date as month
    from beginning
    cross join
        lateral generate_series(
            date_trunc('month', beginning.day::timestamp), {{ business_date() }}::timestamp, interval '1 month'
        ) as month (day)
    {%- else -%}
    select
        beginning.feed,
        month.day::date as month
    from beginning
    cross join base
    cross join
        lateral generate_series(
            case
                when
                    beginning.feed in (select turned.feed from turned)
                    then date_trunc('month', beginning.day::timestamp)
                else date_trunc('month', base.first_night::timestamp)
            end,
            greatest(base.last_night, {{ business_date() }})::timestamp,
            interval '1 month'
        ) as month (day)
    union
    select
        told.feed,
        told.month
    from told
    where told.feed in (select turned.feed from turned)
    union
    select
        open_period.feed,
        open_period.month
    from open_period
    union
    select
        entered.feed,
        entered.month
    from entered
    {%- endif %}
)

select * from final
