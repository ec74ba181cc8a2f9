{#- Cost follows the change (ARCHITECTURE.md decision 4): what a model recomputes is the affected set only. -#}

{#- True when the model at hand has nothing to build on, or is told to start over: it then computes every row. -#}
{% macro rebuilds_everything() -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set kept_in = 'mart_store' if config.get('materialized') == 'versioned' else this.schema -%}
    {{ return(built_relation(kept_in, this.identifier) is none) }}
{%- endmacro %}

{#- Order of a first or full build's rows on disk. All that asks about a subject reads its records, which lie on a page or two
    then and not on as many as there are. -#}
{% macro laid_out_by(column) -%}
    {%- if rebuilds_everything() -%}
        order by {{ column }}
    {%- endif -%}
{%- endmacro %}

{#- A relation an earlier run built, or none. For models that look at their own past, where ref() would be a cycle. -#}
{% macro built_relation(schema, identifier) -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(adapter.get_relation(database=target.database, schema=schema, identifier=identifier)) }}
{%- endmacro %}

{#- Condition that keeps only rows whose `column` (or list of columns) is in an affected set; `true` when everything is
    rebuilt. -#}
{% macro is_affected(column, set, key=column) -%}
    {%- set affected = ref(set) -%}
    {%- set columns, keys = ([column], [key]) if column is string else (column, key) -%}
    {%- if rebuilds_everything() -%}
        true
    {%- else -%}
        ({{ columns | join(', ') }}) in (select affected.{{ keys | join(', affected.') }} from {{ affected }} as affected)
    {%- endif -%}
{%- endmacro %}

{#- The same for a union over all feeds: an array from an uncorrelated subquery is a parameter to the planner, so it
    reaches the index of every branch, which a semi-join does not. Its price is that the planner guesses ten rows:
    do not join the result to anything without an index. -#}
{% macro is_affected_in_union(column, set, key=column) -%}
    {%- set affected = ref(set) -%}
    {%- if rebuilds_everything() -%}
        true
    {%- else -%}
        {{ column }} = any(array(select affected.{{ key }} from {{ affected }} as affected))
    {%- endif -%}
{%- endmacro %}

{#- The same for an array column, any of whose elements may be affected; `flag` marks the keys that can be elements of it:
    every one of the others would be looked for in vain. -#}
{% macro overlaps_affected(column, set, key, flag) -%}
    {%- set affected = ref(set) -%}
    {%- if rebuilds_everything() -%}
        true
    {%- else -%}
        {{ column }} && array(select affected.{{ key }} from {{ affected }} as affected where affected.{{ flag }})
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of models that ask of accepted rows who claims an alias. The planner takes a batch for a hundred rows and would
    rather look through every batch of a feed than ask the index of the aliases; without loops over batches it cannot.
    delivered_row joins no batches: who asks it needs no hook. -#}
{% macro plan_by_alias() -%}
    set local enable_nestloop = off
{%- endmacro %}

{#- Pre-hook of models that join every delivered row to something indexed. By the same mistake a first or full build would ask
    the index once for each row of the city. -#}
{% macro plan_for_everything() -%}
    {%- if rebuilds_everything() -%}
        set local enable_nestloop = off
    {%- endif -%}
{%- endmacro %}

{#- Incremental strategy `affected`: in one statement batch, replace the rows of the affected set (config
    `scope_model`, `scope_key`; `scope_set_key` where the set calls the key otherwise) by what the model yields for it. Unlike dbt's delete+insert, a key that yields no row
    any more disappears, and a row that came out the same is not written again: most of an affected set does, and every
    row written costs a page of each index. -#}
{% macro get_incremental_affected_sql(arg_dict) -%}
    {%- set target, fresh = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set names = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set columns = names | join(', ') -%}
    {%- set key = config.require('scope_key') -%}
    {%- set same -%}
        fresh.{{ key }} = stored.{{ key }}
        and row({% for name in names %}fresh.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
        is not distinct from row({% for name in names %}stored.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
    {%- endset -%}
    {#- Of the key only: nothing else is joined, and sorting every wide text took longer than the rest. -#}
    analyze {{ fresh }} ({{ key }});

    delete from {{ target }} as stored
    where stored.{{ key }} in (select {{ config.get('scope_set_key', key) }} from {{ ref(config.require('scope_model')) }})
        and not exists (select 1 from {{ fresh }} as fresh where {{ same }});

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ fresh }} as fresh
    where not exists (select 1 from {{ target }} as stored where {{ same }});
{%- endmacro %}
