{{ config(materialized='steady_view', post_hook='{{ grant_to_readers(this) }}') }}
-- Everybody with a record on file counts from the first decision on.
with filed as (
    select
        subject_key,
        min(decision_date) as filed_on
    from {{ ref('credit_record') }}
    group by subject_key
),

membership as (
    select
        member.population,
        member.group_name,
        member.joined_on,
        member.left_on,
        case when filed.filed_on is not null then greatest(member.joined_on, filed.filed_on) end as filed_on
    from {{ ref('register_member') }} as member
    left join filed
        on
            member.subject_key = filed.subject_key
            and (member.left_on is null or member.left_on > filed.filed_on)
),

change as (
    select
        population,
        group_name,
        joined_on as day,
        1 as members,
        0 as filed_members
    from membership
    union all
    select
        population,
        group_name,
        filed_on as day,
        0 as members,
        1 as filed_members
    from membership
    where filed_on is not null
    union all
    select
        population,
        group_name,
        left_on as day,
        -1 as members,
        case when filed_on is null then 0 else -1 end as filed_members
    from membership
    where left_on is not null
),

by_day as (
    select
        population,
        group_name,
        day,
        sum(members) as members,
        sum(filed_members) as filed_members
    from change
    group by population, group_name, day
),

final as (
    select
        population,
        group_name,
        day,
        (sum(members) over up_to_now)::bigint as members,
        (sum(filed_members) over up_to_now)::bigint as filed_members
    from by_day
    window up_to_now as (partition by population, group_name order by day)
)

select * from final
