{%- set published = built_relation('mart_store', 'population_movement') %}
with marker as (
    select coalesce(bool_or(subject_key is null), false) as is_whole from {{ ref('spell_before') }}
),

whole as (
    select spell.*
    from {{ ref('population_spell') }} as spell
    where (select marker.is_whole from marker)
),

before as (
    select noted.*
    from {{ ref('spell_before') }} as noted
    where noted.population is not null and not (select marker.is_whole from marker)
),

after as (
    select spell.*
    from {{ ref('population_spell') }} as spell
    where
        not (select marker.is_whole from marker)
        and spell.subject_key = any(array(select distinct noted.subject_key from {{ ref('spell_before') }} as noted))
),

movement as (
    {{ spell_movements('whole') }}
    union all
    {{ spell_movements('after') }}
    union all
    {{ spell_movements('before', sign=-1) }}
),

change as (
    select
        population,
        group_name,
        district,
        day,
        sum(joined) as joined,
        sum(departed) as departed,
        sum(filed) as filed,
        sum(unfiled) as unfiled
    from movement
    group by population, group_name, district, day
),

{% if published is not none -%}
base as (
    {{ base_publication() }}
),

{% endif -%}
counted as (
    {% if published is none -%}
    select change.* from change
    {%- else -%}
    select
        published.population,
        published.group_name,
        published.district,
        published.day,
        -- Rebuilt as a whole, nothing is added to what was.
        case when marker.is_whole then 0 else published.joined end as joined,
        case when marker.is_whole then 0 else published.departed end as departed,
        case when marker.is_whole then 0 else published.filed end as filed,
        case when marker.is_whole then 0 else published.unfiled end as unfiled
    from {{ published }} as published
    cross join base
    cross join marker
    where
        published.valid_from_publication <= base.publication_id
        and (published.valid_to_publication is null or published.valid_to_publication > base.publication_id)
        and (
            marker.is_whole
            or exists (
                select 1 from change
                where
                    change.population = published.population
                    and change.group_name = published.group_name
                    and change.district = published.district
                    and change.day = published.day
                    and (change.joined <> 0 or change.departed <> 0 or change.filed <> 0 or change.unfiled <> 0)
            )
        )
    union all
    select * from change
    where change.joined <> 0 or change.departed <> 0 or change.filed <> 0 or change.unfiled <> 0
    {%- endif %}
),

final as (
    select
        md5(concat_ws('|', population, group_name, district, day))::uuid as coverage_key,
        population,
        group_name,
        district,
        day,
        sum(joined)::bigint as joined,
        sum(departed)::bigint as departed,
        sum(filed)::bigint as filed,
        sum(unfiled)::bigint as unfiled
    from counted
    group by population, group_name, district, day
)

select * from final
