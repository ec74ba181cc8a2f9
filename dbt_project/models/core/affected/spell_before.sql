{#- Kept from the first attempt since the last publication on: a later attempt finds core already built anew, and must
    take away what the publication counted, not what a discarded candidate did. -#}
{%- set affected, publication = ref('affected_standing'), source('ops', 'publication') %}
{%- set spells, earlier = built_relation('core', 'population_spell'), built_relation('core', 'spell_before') %}
{%- set counted = built_relation('mart_store', 'population_movement') %}
{%- set everything = flags.FULL_REFRESH or none in (spells, earlier, counted) %}
{%- set types = {
    'population': 'text', 'group_name': 'text', 'district': 'text', 'from_day': 'date', 'until_day': 'date',
    'is_filed': 'boolean', 'enters_district': 'boolean', 'leaves_district': 'boolean', 'enters_city': 'boolean',
    'leaves_city': 'boolean', 'is_filed_anew': 'boolean', 'is_unfiled': 'boolean',
} %}
with base as (
    {{ base_publication() }}
),

{% if not everything -%}
kept as (
    select
        earlier.subject_key,
        {% for column in types -%}
        earlier.{{ column }},
        {% endfor -%}
        earlier.noted_by
    from {{ earlier }} as earlier
    cross join base
    where earlier.noted_by > base.publication_id
),

{% endif -%}
-- The row without a subject: nothing is known of before, everything is counted.
final as (
    select
        null::uuid as subject_key,
        {% for column, type in types.items() -%}
        null::{{ type }} as {{ column }},
        {% endfor -%}
        {{ publication_id() }}::bigint as noted_by
    from base
    {%- if not everything %}
    where base.publication_id is null
    union all
    select
        subject_key,
        {% for column in types -%}
        {{ column }},
        {% endfor -%}
        noted_by
    from kept
    union all
    select
        affected.subject_key,
        {% for column in types -%}
        spell.{{ column }},
        {% endfor -%}
        {{ publication_id() }}::bigint as noted_by
    from {{ affected }} as affected
    left join {{ spells }} as spell on affected.subject_key = spell.subject_key
    where
        not exists (
            select 1 from kept
            where kept.subject_key = affected.subject_key
        )
    {%- endif %}
)

select * from final
