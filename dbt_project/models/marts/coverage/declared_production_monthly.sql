{{ config(
    version_key=['month', 'feed'],
    scope_model='affected_production',
    scope_key=['feed', 'month']
) }}
with declared as (
    select * from ({{ standing_entries('declared_production', ['feed', 'month']) }}) as standing
    where {{ is_affected(['feed', 'month'], 'affected_production') }}
),

feed as (
    select * from {{ ref('feed') }}
),

-- One decision delivered in two generations of a standard is one record.
received as (
    select
        declared.feed,
        declared.month,
        count(record.record_key) as received
    from declared
    left join {{ ref('credit_record') }} as record
        on
            declared.feed = record.feed
            and declared.month <= record.decision_date
            and record.decision_date < (declared.month + interval '1 month')::date
            and record.status <> 'withdrawn'
    group by declared.feed, declared.month
),

final as (
    select
        declared.month,
        declared.feed,
        feed.department_code,
        declared.produced::bigint as produced,
        declared.published_by_unit::bigint as published_by_unit,
        received.received,
        least(received.received, declared.produced)::bigint as reported,
        greatest(received.received - declared.produced, 0)::bigint as received_beyond_declared
    from declared
    inner join received on declared.feed = received.feed and declared.month = received.month
    inner join feed on declared.feed = feed.feed
    where declared.month <= {{ business_date() }}
)

select * from final
