-- depends_on: {{ ref('spell_before') }}
{{ config(
    materialized='incremental',
    incremental_strategy='affected',
    scope_model='affected_standing',
    scope_key='subject_key',
    on_schema_change='fail',
    post_hook='{{ refresh_statistics(this) }}',
    indexes=[{'columns': ['subject_key']}]
) }}
with stay as (
    select * from {{ ref('register_member') }}
    where {{ is_affected('subject_key', 'affected_standing') }}
),

-- When a record was held: from the night that took it until it may no longer be used. What was taken back, repaired or
-- was never lawful counts for no day.
held as (
    select
        subject_key,
        feed,
        range_agg(daterange(first_taken_on, usable_until, '[]')) as days
    from {{ ref('credit_record') }}
    where
        {{ is_affected('subject_key', 'affected_standing') }}
        and subject_key is not null
        and status in {{ held_statuses() }}
        and (usable_until is null or usable_until >= first_taken_on)
    group by subject_key, feed
),

-- The register that makes somebody a member says nothing about whether others report on it.
file as (
    select
        stay.population,
        stay.group_name,
        stay.subject_key,
        range_agg(held.days) as days
    from stay
    inner join held on stay.subject_key = held.subject_key and stay.feed <> held.feed
    group by stay.population, stay.group_name, stay.subject_key
),

turning as (
    select
        population,
        group_name,
        subject_key,
        joined_on as day
    from stay
    union
    select
        population,
        group_name,
        subject_key,
        left_on as day
    from stay
    where left_on is not null
    union
    select
        file.population,
        file.group_name,
        file.subject_key,
        edge.day
    from file
    cross join lateral unnest(file.days) as span (days)
    cross join lateral (values (lower(span.days)), (upper(span.days))) as edge (day)
    where edge.day is not null
),

segment as (
    select
        *,
        lead(day) over (partition by population, group_name, subject_key order by day) as next_day
    from turning
),

-- Of several stays the one that began last says where the subject belongs.
standing as (
    select distinct on (segment.population, segment.group_name, segment.subject_key, segment.day)
        segment.population,
        segment.group_name,
        segment.subject_key,
        segment.day,
        segment.next_day,
        stay.district,
        coalesce(file.days @> segment.day, false) as is_filed
    from segment
    inner join stay
        on
            segment.population = stay.population
            and segment.group_name = stay.group_name
            and segment.subject_key = stay.subject_key
            and segment.day >= stay.joined_on
            and (stay.left_on is null or segment.day < stay.left_on)
    left join file
        on
            segment.population = file.population
            and segment.group_name = file.group_name
            and segment.subject_key = file.subject_key
    order by
        segment.population asc, segment.group_name asc, segment.subject_key asc, segment.day asc,
        stay.joined_on desc, stay.updated_at desc, stay.record_key desc
),

compared as (
    select
        *,
        coalesce(
            lag(next_day) over by_member = day
            and lag(district) over by_member = district
            and lag(is_filed) over by_member = is_filed,
            false
        ) as continues
    from standing
    window by_member as (partition by population, group_name, subject_key order by day)
),

numbered as (
    select
        *,
        count(*) filter (where not continues) over (
            partition by population, group_name, subject_key order by day
        ) as number
    from compared
),

spell as (
    select
        population,
        group_name,
        subject_key,
        district,
        is_filed,
        min(day) as from_day,
        case when not bool_or(next_day is null) then max(next_day) end as until_day
    from numbered
    group by population, group_name, subject_key, number, district, is_filed
),

neighboured as (
    select
        *,
        coalesce(lag(until_day) over by_member = from_day, false) as follows,
        coalesce(lead(from_day) over by_member = until_day, false) as is_followed,
        coalesce(lag(district) over by_member = district, false) as follows_here,
        coalesce(lead(district) over by_member = district, false) as is_followed_here,
        coalesce(lag(is_filed) over by_member, false) as filed_before,
        coalesce(lead(is_filed) over by_member, false) as filed_after
    from spell
    window by_member as (partition by population, group_name, subject_key order by from_day)
),

final as (
    select
        population,
        group_name,
        subject_key,
        district,
        from_day,
        until_day,
        is_filed,
        (not follows or not follows_here) as enters_district,
        until_day is not null and (not is_followed or not is_followed_here) as leaves_district,
        not follows as enters_city,
        until_day is not null and not is_followed as leaves_city,
        is_filed and (not follows or not filed_before) as is_filed_anew,
        is_filed and until_day is not null and (not is_followed or not filed_after) as is_unfiled
    from neighboured
)

select * from final
