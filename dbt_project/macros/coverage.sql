{#- What spells of core.population_spell add to the daily figures of their district and of the whole city (全市): who
    joined, who left, how many members are covered by a file from that day and how many no longer are. Moving from one
    district to another is no change of the city. `sign` -1 takes the same away. -#}
{% macro spell_movements(spells, sign=1) -%}
    {%- for level in ['district', 'city'] -%}
    {%- set district = 'district' if level == 'district' else "'全市'" %}
    select
        population,
        group_name,
        {{ district }} as district,
        from_day as day,
        {{ sign }} * enters_{{ level }}::int as joined,
        0 as departed,
        {{ sign }} * {{ 'is_filed' if level == 'district' else 'is_filed_anew' }}::int as filed,
        0 as unfiled
    from {{ spells }}
    union all
    select
        population,
        group_name,
        {{ district }} as district,
        until_day as day,
        0 as joined,
        {{ sign }} * leaves_{{ level }}::int as departed,
        0 as filed,
        {{ sign }} * {{ 'is_filed' if level == 'district' else 'is_unfiled' }}::int as unfiled
    from {{ spells }}
    where until_day is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
