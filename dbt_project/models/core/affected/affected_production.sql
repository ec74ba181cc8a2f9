{#- Compared with what the last publication holds, not with an earlier attempt of this run: a candidate that is built
    again must find the same change. -#}
{%- set published, feed = built_relation('mart_store', 'declared_production_monthly'), ref('feed') %}
{%- set delivery, changed_batch = ref('credit_record_delivery'), ref('changed_batch') %}
{%- set affected_record, batch = ref('affected_record'), source('ops', 'batch') %}
with declared as (
    {{ standing_entries('declared_production', ['feed', 'month']) }}
),

present as (
    select
        declared.feed,
        declared.month,
        feed.department_code,
        declared.produced::bigint as produced,
        declared.published_by_unit::bigint as published_by_unit
    from declared
    inner join {{ feed }} as feed on declared.feed = feed.feed
    where declared.month <= {{ business_date() }}
),

{% if published is not none -%}
told as (
    select
        stored.feed,
        stored.month,
        stored.department_code,
        stored.produced,
        stored.published_by_unit
    from {{ published }} as stored
    where {{ stood_before('stored') }}
),

-- Declared anew or taken back, begun since, or of another department.
entered as (
    select
        coalesce(present.feed, told.feed) as feed,
        coalesce(present.month, told.month) as month
    from present
    full outer join told on present.feed = told.feed and present.month = told.month
    where
        (present.department_code, present.produced, present.published_by_unit)
        is distinct from (told.department_code, told.produced, told.published_by_unit)
),

-- Months in which a record was decided that came, went or changed, by what it says now and by what it said before.
decided as (
    select distinct
        feed,
        date_trunc('month', decision_date)::date as month
    from {{ delivery }}
    where record_key = any(array(select affected.record_key from {{ affected_record }} as affected))
),

-- What was in a batch that is taken back is told by no delivery any more.
taken_back as (
    select batch.feed
    from {{ changed_batch }} as changed_batch
    inner join {{ batch }} as batch on changed_batch.batch_id = batch.batch_id
    where batch.state <> 'accepted'
),

recounted as (
    select
        present.feed,
        present.month
    from present
    left join decided on present.feed = decided.feed and present.month = decided.month
    where decided.feed is not null or present.feed in (select taken_back.feed from taken_back)
),

{% endif -%}
final as (
    {% if published is not none -%}
    select
        feed,
        month
    from entered
    union
    select
        feed,
        month
    from recounted
    {%- else -%}
    select
        feed,
        month
    from present
    {%- endif %}
)

select * from final
