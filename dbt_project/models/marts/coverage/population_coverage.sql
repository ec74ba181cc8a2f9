{{ config(materialized='steady_view') }}
with running as (
    select
        *,
        lead(day) over place - 1 as held_until,
        (sum(joined - departed) over place)::bigint as members,
        (sum(filed - unfiled) over place)::bigint as filed_members
    from {{ ref('population_movement') }}
    -- What comes after the publication's night is what would happen if nothing were renewed; it is not told.
    where day <= (select ops.reading_night())
    window place as (partition by population, group_name, district order by day)
),

final as (
    select
        population,
        group_name,
        district,
        day as held_from,
        held_until,
        joined,
        departed,
        members,
        filed_members,
        round(filed_members::numeric / nullif(members, 0), 4) as coverage_rate
    from running
)

select * from final
