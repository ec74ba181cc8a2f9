{#- Schemas are called what dbt_project.yml says (staging, core, mart), without dbt's target prefix: grants, readers
    and the migrations know them by these names. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
