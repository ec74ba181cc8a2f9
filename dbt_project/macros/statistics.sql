{#- After a large change the planner must not go by what autovacuum saw before it; after a small one its statistics still
    hold, and gathering them would cost more than the change. Called when the model's rows are in. -#}
{% macro refresh_statistics(relation) -%}
    {%- if execute -%}
        {%- set written = load_result('main')['response'].rows_affected -%}
        {%- set known = run_query("select reltuples from pg_class where oid = '" ~ relation ~ "'::regclass").columns[0].values()[0] -%}
        {%- if written > 0 and written * 10 >= known -%}
            {%- do run_query("analyze " ~ relation) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
