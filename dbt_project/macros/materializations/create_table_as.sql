{#-
    How a table with a contract is made, in place of dbt's own way: filled first, its key and its not-nulls afterwards.

    dbt makes the table with its constraints and inserts into it. A key of random values filled row by row costs four
    times the index built at once, and an insert is never planned in parallel. The constraints come with the indexes, in
    the same transaction: the statement that fills the table is the one whose rows dbt reports. Contracts here know these
    two constraints; any other is an error, not forgotten.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set is_enforced = config.get('contract').enforced -%}
    {%- if is_enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    {%- if temporary or not is_enforced -%}
        create {{ 'temporary ' if temporary }}table {{ relation }} as ({{ sql }});
    {%- else -%}
        create table {{ relation }} as
        select {{ typed_columns('made') }} from ({{ sql }}) as made;
    {%- endif -%}
{%- endmacro %}


{% macro postgres__create_indexes(relation) -%}
    {%- set constraints = constraints_sql(relation) if config.get('contract').enforced -%}
    {%- if constraints -%}
        {%- do run_query(constraints) -%}
    {%- endif -%}
    {{ default__create_indexes(relation) }}
{%- endmacro %}


{#- Of the columns, or of the model where a key has several. -#}
{% macro constraints_sql(relation) -%}
    {%- set stated = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- do stated.append((constraint.type, [column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.constraints -%}
        {%- do stated.append((constraint.type, constraint.columns)) -%}
    {%- endfor -%}
    {%- set changes = [] -%}
    {%- for type, columns in stated -%}
        {%- if type == 'primary_key' -%}
            {%- do changes.append('add primary key (' ~ columns | join(', ') ~ ')') -%}
        {%- elif type == 'not_null' -%}
            {%- do changes.append('alter column ' ~ columns[0] ~ ' set not null') -%}
        {%- else -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ ': a constraint of type ' ~ type ~ ' is not made; see macros/materializations/create_table_as.sql'
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if changes -%}
        alter table {{ relation }} {{ changes | join(', ') }};
    {%- endif -%}
{%- endmacro %}
