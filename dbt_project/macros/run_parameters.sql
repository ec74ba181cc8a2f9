{#- The night and the candidate a run works for. They come from the environment (set by
    credit_warehouse.transform.run) and are read only when a node executes: a dbt var would void the parse cache
    every night. -#}

{#- The night D that the run closes, as a SQL date. Business time: no model asks the clock. -#}
{% macro business_date() -%}
    {%- if not execute -%}
        {{ return("null::date") }}
    {%- endif -%}
    {{ return("date '" ~ run_parameter('CREDIT_BUSINESS_DATE', '^\\d{4}-\\d{2}-\\d{2}$') ~ "'") }}
{%- endmacro %}

{#- The candidate publication that the run builds, as an integer. -#}
{% macro publication_id() -%}
    {%- if not execute -%}
        {{ return(0) }}
    {%- endif -%}
    {{ return(run_parameter('CREDIT_PUBLICATION_ID', '^[1-9]\\d*$') | int) }}
{%- endmacro %}

{#- One environment variable of the run, checked against a pattern. -#}
{% macro run_parameter(name, pattern) -%}
    {%- set value = env_var(name, '') -%}
    {%- if not modules.re.match(pattern, value) -%}
        {{ exceptions.raise_compiler_error(name ~ " is '" ~ value ~ "': run dbt through credit_warehouse.transform, or set it") }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}
