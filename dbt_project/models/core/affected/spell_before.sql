{#- Kept from the first attempt since the last publication on: a later attempt finds core already built anew, and must
    take away what the publication counted, not what a discarded candidate did. -#}
{%- set affected, publication = ref('affected_standing'), source('ops', 'publication') %}
{%- set spells, earlier = built_relation('core', 'population_spell'), built_relation('core', 'spell_before') %}
{%- set counted = built_relation('mart_store', 'population_movement') %}
with base as (
    {{ base_publication() }}
),

{% if flags.FULL_REFRESH or none in (spells, earlier, counted) -%}
final as (
    select
        null::uuid as subject_key,
        null::text as population,
        null::text as group_name,
        null::text as district,
        null::date as from_day,
        null::date as until_day,
        null::boolean as is_filed,
        null::boolean as enters_district,
        null::boolean as leaves_district,
        null::boolean as enters_city,
        null::boolean as leaves_city,
        null::boolean as is_filed_anew,
        null::boolean as is_unfiled,
        {{ publication_id() }}::bigint as noted_by
    from base
)
{%- else -%}
kept as (
    select
        earlier.subject_key,
        earlier.population,
        earlier.group_name,
        earlier.district,
        earlier.from_day,
        earlier.until_day,
        earlier.is_filed,
        earlier.enters_district,
        earlier.leaves_district,
        earlier.enters_city,
        earlier.leaves_city,
        earlier.is_filed_anew,
        earlier.is_unfiled,
        earlier.noted_by
    from {{ earlier }} as earlier
    cross join base
    where earlier.noted_by > base.publication_id
),

final as (
    select
        subject_key,
        population,
        group_name,
        district,
        from_day,
        until_day,
        is_filed,
        enters_district,
        leaves_district,
        enters_city,
        leaves_city,
        is_filed_anew,
        is_unfiled,
        noted_by
    from kept
    union all
    select
        affected.subject_key,
        spell.population,
        spell.group_name,
        spell.district,
        spell.from_day,
        spell.until_day,
        spell.is_filed,
        spell.enters_district,
        spell.leaves_district,
        spell.enters_city,
        spell.leaves_city,
        spell.is_filed_anew,
        spell.is_unfiled,
        {{ publication_id() }}::bigint as noted_by
    from {{ affected }} as affected
    left join {{ spells }} as spell on affected.subject_key = spell.subject_key
    where
        not exists (
            select 1 from kept
            where kept.subject_key = affected.subject_key
        )
    union all
    select
        null::uuid as subject_key,
        null::text as population,
        null::text as group_name,
        null::text as district,
        null::date as from_day,
        null::date as until_day,
        null::boolean as is_filed,
        null::boolean as enters_district,
        null::boolean as leaves_district,
        null::boolean as enters_city,
        null::boolean as leaves_city,
        null::boolean as is_filed_anew,
        null::boolean as is_unfiled,
        {{ publication_id() }}::bigint as noted_by
    from base
    where base.publication_id is null
)
{%- endif %}

select * from final
