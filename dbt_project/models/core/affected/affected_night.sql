{#- Feeds are compared with what the last publication says of them: one that left the contracts takes its rows with
    it. -#}
{%- set published, feed = built_relation('mart_store', 'feed'), ref('feed') %}
{#- Every night then: no need to look for reasons. -#}
{%- set everything = flags.FULL_REFRESH or published is none %}
with base as (
    {{ base_publication() }}
),

turned as (
    select feed from {{ ref('affected_feed') }}
    {% if published is not none -%}
    union
    select gone.feed from {{ published }} as gone
    where
        gone.valid_to_publication is null
        and gone.feed not in (select feed.feed from {{ feed }} as feed)
    {%- endif %}
),

-- A department is called the same in the rows of all its feeds.
concerned as (
    select contract.feed from {{ source('ops', 'feed') }} as contract
    where
        contract.department_code in (
            select other.department_code
            from {{ source('ops', 'feed') }} as other
            inner join turned on other.feed = turned.feed
        )
),

earliest as (
    select min(business_date) as business_date from {{ ref('changed_batch') }}
),

told as (
    select
        business_date,
        feed,
        received_at as answered_at
    from {{ source('ops', 'batch') }}
    union all
    select
        business_date,
        feed,
        coalesce(finished_at, started_at) as answered_at
    from {{ source('ops', 'outcome') }}
    where step = 'settle' and feed is not null
),

-- Nights with a delivery or an answer of since; nights that one of the two publications holds and the other does not;
-- nights after a late batch, which may have been the newest then; every night of a feed called or timed otherwise.
retold as (
    select told.business_date
    from told
    cross join base
    cross join earliest
    where
        {{ everything }}
        or base.opened_at is null
        or told.answered_at >= base.opened_at
        or (told.business_date > base.first_night and told.business_date <= base.last_night)
        or told.business_date >= earliest.business_date
        or told.feed in (select concerned.feed from concerned)
),

-- A correction may name another authority for a record that came in an earlier night; so may what is left of one whose
-- batch was taken back.
delivered_again as (
    select
        delivered.record_key,
        bool_or(batch.state <> 'accepted') as is_taken_back
    from {{ ref('delivered_row') }} as delivered
    inner join {{ source('ops', 'batch') }} as batch on delivered.batch_id = batch.batch_id
    where
        not {{ everything }}
        and delivered.batch_id = any(array(select changed.batch_id from {{ ref('changed_batch') }} as changed))
    group by delivered.record_key
),

-- Most of a night's records come for the first time; each of the others is looked for in every feed.
corrected_record as (
    select record.record_key
    from {{ ref('credit_record') }} as record
    inner join delivered_again on record.record_key = delivered_again.record_key
    where record.versions > 1
),

renamed as (
    select record_key
    from {{ ref('credit_record_delivery') }}
    where record_key = any(array(select corrected_record.record_key from corrected_record))
    group by record_key
    having count(distinct coalesce(authority_name, '')) > 1
    union
    select record_key from delivered_again
    where is_taken_back
),

corrected as (
    select batch.business_date
    from {{ ref('credit_record') }} as record
    inner join {{ source('ops', 'batch') }} as batch on record.first_batch_id = batch.batch_id
    where record.record_key = any(array(select renamed.record_key from renamed))
),

final as (
    select business_date from retold
    union
    select business_date from corrected
    union
    select business_date from {{ ref('affected_batch_night') }}
)

select * from final
