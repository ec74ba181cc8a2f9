{#- After a large change the planner must not go by what autovacuum saw before it; after a small one its statistics still
    hold, and gathering them would cost more than the change. Called when the model's rows are in.

    Config `distinct_share`: column → distinct values per row, where what the planner would find misleads it. A night's
    batches are small, however large the first ones were; and of rows that lie in the order of a column it samples whole
    pages, finds few values, and takes each for hundreds of rows: it would read the city for a night's subjects. -#}
{% macro refresh_statistics(relation) -%}
    {%- if execute -%}
        {%- set written = load_result('main')['response'].rows_affected -%}
        {%- set known = run_query("select reltuples from pg_class where oid = '" ~ relation ~ "'::regclass").columns[0].values()[0] -%}
        {%- if written > 0 and written * 10 >= known -%}
            {%- for column, share in config.get('distinct_share', {}).items() -%}
                {%- do run_query("alter table " ~ relation ~ " alter column " ~ column ~ " set (n_distinct = -" ~ share ~ ")") -%}
            {%- endfor -%}
            {%- do run_query("analyze " ~ relation) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
