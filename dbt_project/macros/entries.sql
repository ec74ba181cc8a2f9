{#- What stands of an append-only table of entries: of those with one key the one entered last, unless it is void. -#}
{% macro standing_entries(entries, key) -%}
    select * from (
        select distinct on ({{ key | join(', ') }}) *
        from {{ source('ops', entries) }}
        order by {{ key | join(', ') }}, {{ entries }}_id desc
    ) as newest
    where not is_void
{%- endmacro %}
