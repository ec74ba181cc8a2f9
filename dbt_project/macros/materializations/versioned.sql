{#-
    Materialization `versioned`: a mart whose past publications stay readable (ARCHITECTURE.md decision 3).

    Two relations:
      mart_store.<name>   every version of every row: the model's columns, valid_from_publication, and
                          valid_to_publication (null = still so)
      mart.<name>         view of the publication the session reads; what ref() means and what readers see

    The model yields the rows of the affected set as they are to be in the candidate publication. In one transaction
    the materialization checks that the candidate is open, undoes an earlier attempt of the same candidate, closes
    the open rows that differ or are gone, and inserts the changed rows under the candidate's number. Rows that came
    out the same are not touched; history is never truncated, not even by --full-refresh, which only widens the
    comparison to every row.

    Config:
      version_key   column or list of columns: the grain. At most one open row per key (a unique index keeps it so).
      scope_model   model that lists the affected keys; without it every open row is compared.
      scope_key     column (or list of columns) of both the mart and scope_model by which rows belong to the affected set.
      version_indexes   further indexes of the store, each a list of columns.
      view_filter   condition over `stored`: rows no reader sees any more, whichever publication is read.
      view_columns  column → expression over `stored`, where the reader sees what holds today.
      view_stale_keys, view_live_rows   SQL of the scope keys whose rows must not be read as they were stored, and of the
                    rows to read instead (columns in the model's order).
-#}
{% materialization versioned, adapter='postgres', supported_languages=['sql'] %}
    {%- set view = this.incorporate(type='view') -%}
    {%- set store = api.Relation.create(
        database=this.database, schema='mart_store', identifier=this.identifier, type='table'
    ) -%}
    {%- set fresh = api.Relation.create(identifier=this.identifier ~ '__fresh', type='table') -%}
    {%- set compares_everything = rebuilds_everything() or config.get('scope_model') is none -%}
    {%- set candidate = publication_id() -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do require_open_candidate(candidate) -%}
    {%- do run_query(get_assert_columns_equivalent(sql) ~ ' select 1') -%}
    {%- set is_new = prepare_store(store) -%}
    {%- do run_query(undo_candidate_sql(store, candidate)) -%}

    {%- if holds_nothing(store) -%}
        {%- call statement('main') -%}
            {{ insert_all_rows_sql(store, sql, candidate) }}
        {%- endcall -%}
    {%- else -%}
        {%- do run_query(fresh_rows_sql(fresh, sql)) -%}
        {%- do run_query(close_changed_rows_sql(store, fresh, candidate)) -%}
        {%- do run_query(close_gone_rows_sql(store, fresh, candidate, compares_everything)) -%}
        {%- call statement('main') -%}
            {{ insert_changed_rows_sql(store, fresh, candidate) }}
        {%- endcall -%}
        {%- do run_query('drop table ' ~ fresh.include(database=false, schema=false)) -%}
    {%- endif -%}

    {#- A first load fills the table before its indexes are made: row by row they cost as much as the rows. -#}
    {%- if is_new -%}
        {%- do run_query(index_store_sql(store)) -%}
    {%- endif -%}
    {%- do refresh_statistics(store) -%}
    {%- do prepare_view(view, store) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [view]}) }}
{% endmaterialization %}


{#- Stop unless `candidate` is an open candidate. The share lock makes publish and discard wait for this model, and
    lets other marts of the same run go on. -#}
{% macro require_open_candidate(candidate) -%}
    {#- A statement, unlike run_query, begins the transaction that all the rest belongs to. -#}
    {%- call statement('candidate', fetch_result=true) -%}
        select state from ops.publication where publication_id = {{ candidate }} for share
    {%- endcall -%}
    {%- set found = load_result('candidate').table.columns[0].values() -%}
    {%- if found | length == 0 or found[0] != 'candidate' -%}
        {{ exceptions.raise_compiler_error(
            "publication " ~ candidate ~ " is " ~ (found[0] if found else "unknown")
            ~ ", not an open candidate: marts are written for a candidate only"
        ) }}
    {%- endif -%}
{%- endmacro %}


{#- Make the store from the model's contract, still without indexes, or widen it by columns the contract gained. Returns
    whether it was made. -#}
{% macro prepare_store(store) -%}
    {%- set is_new = built_relation(store.schema, store.identifier) is none -%}
    {%- if is_new -%}
        {%- do run_query(create_store_sql(store)) -%}
        {%- do adapter.cache_added(store) -%}
    {%- endif -%}
    {%- set existing = {} -%}
    {%- for row in run_query(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        ~ " where attrelid = '" ~ store ~ "'::regclass and attnum > 0 and not attisdropped"
    ) -%}
        {%- do existing.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- set versions = ['valid_from_publication', 'valid_to_publication'] -%}
    {%- set removed = existing.keys() | reject('in', versions) | reject('in', model.columns.keys()) | list -%}
    {%- if removed -%}
        {{ exceptions.raise_compiler_error(
            store ~ " holds column(s) " ~ removed | join(', ') ~ " that the contract of " ~ model.name
            ~ " no longer has. Readers may use them: drop view and columns in a migration, then build again"
        ) }}
    {%- endif -%}
    {%- for column in model.columns.values() if column.name not in existing -%}
        {%- do run_query("alter table " ~ store ~ " add column " ~ column.name ~ " " ~ column.data_type) -%}
    {%- endfor -%}
    {{ return(is_new) }}
{%- endmacro %}


{#- The columns of a config that is one column or a list of them. -#}
{% macro listed(name) -%}
    {%- set columns = config.require(name) -%}
    {{ return([columns] if columns is string else columns) }}
{%- endmacro %}


{% macro create_store_sql(store) -%}
    {%- set key = listed('version_key') -%}
    create table {{ store }} (
        {% for column in model.columns.values() -%}
        {{ column.name }} {{ column.data_type }}
        {%- if column.name in key or column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif %},
        {% endfor -%}
        valid_from_publication bigint not null,
        valid_to_publication bigint check (valid_to_publication > valid_from_publication)
    )
    {#- A night closes half a percent of the rows: at the default 20 % their places would not be used again for a month. #}
    with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
{%- endmacro %}


{#- One index answers who asks by key, for the open version (the one without an end: there is at most one) and for an old one.
    Keys are random, so each index of them costs a night a page for every row it writes. -#}
{% macro index_store_sql(store) -%}
    create unique index {{ store.identifier }}__key
        on {{ store }} ({{ listed('version_key') | join(', ') }}, valid_to_publication) nulls not distinct;
    create index {{ store.identifier }}__from on {{ store }} (valid_from_publication);
    create index {{ store.identifier }}__to on {{ store }} (valid_to_publication) where valid_to_publication is not null;
    {% for columns in config.get('version_indexes', []) -%}
    create index {{ store.identifier }}__{{ columns | join('__') }} on {{ store }} ({{ columns | join(', ') }});
    {% endfor -%}
{%- endmacro %}


{#- Take back what an earlier attempt of this candidate wrote; costs what it wrote. -#}
{% macro undo_candidate_sql(store, candidate) -%}
    delete from {{ store }} where valid_from_publication = {{ candidate }};
    update {{ store }} set valid_to_publication = null where valid_to_publication = {{ candidate }};
{%- endmacro %}


{#- What the model yields, in the types of its contract: select list. -#}
{% macro typed_columns(rows) -%}
    {% for column in model.columns.values() -%}
    {{ rows }}.{{ column.name }}::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}


{% macro fresh_rows_sql(fresh, sql) -%}
    {%- set fresh = fresh.include(database=false, schema=false) -%}
    create temporary table {{ fresh }} on commit drop as
    select {{ typed_columns('fresh_row') }} from ({{ sql }}) as fresh_row;
    {#- Of the key only (get_incremental_affected_sql). -#}
    analyze {{ fresh }} ({{ listed('version_key') | join(', ') }});
{%- endmacro %}


{% macro same_columns(columns, left, right) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{% macro whole_row(alias) -%}
    row({% for column in model.columns.values() %}{{ alias }}.{{ column.name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{% macro close_changed_rows_sql(store, fresh, candidate) -%}
    update {{ store }} as stored
    set valid_to_publication = {{ candidate }}
    from {{ fresh.include(database=false, schema=false) }} as fresh
    where stored.valid_to_publication is null
        and {{ same_columns(listed('version_key'), 'stored', 'fresh') }}
        and {{ whole_row('stored') }} is distinct from {{ whole_row('fresh') }}
{%- endmacro %}


{% macro close_gone_rows_sql(store, fresh, candidate, compares_everything) -%}
    update {{ store }} as stored
    set valid_to_publication = {{ candidate }}
    where stored.valid_to_publication is null
        {% if not compares_everything -%}
        and exists (
            select from {{ ref(config.get('scope_model')) }} as scope
            where {{ same_columns(listed('scope_key'), 'stored', 'scope') }}
        )
        {%- endif %}
        and not exists (
            select 1 from {{ fresh.include(database=false, schema=false) }} as fresh
            where {{ same_columns(listed('version_key'), 'stored', 'fresh') }}
        )
{%- endmacro %}


{#- Whether there is no row to compare with. Then none is compared: to the planner a store that a discarded candidate left is
    empty, so it would look through all of it for each new row, and through the rows written meanwhile. -#}
{% macro holds_nothing(store) -%}
    {{ return(run_query(
        "select 1 from " ~ store ~ " where valid_to_publication is null limit 1"
    ).rows | length == 0) }}
{%- endmacro %}


{% macro insert_all_rows_sql(store, sql, candidate) -%}
    insert into {{ store }} ({{ model.columns.keys() | join(', ') }}, valid_from_publication)
    select {{ typed_columns('first_row') }}, {{ candidate }} from ({{ sql }}) as first_row
{%- endmacro %}


{#- Rows that still have an open version came out the same. -#}
{% macro insert_changed_rows_sql(store, fresh, candidate) -%}
    {%- set columns = model.columns.keys() | join(', ') -%}
    insert into {{ store }} ({{ columns }}, valid_from_publication)
    select {{ columns }}, {{ candidate }}
    from {{ fresh.include(database=false, schema=false) }} as fresh
    where not exists (
        select 1 from {{ store }} as stored
        where stored.valid_to_publication is null and {{ same_columns(listed('version_key'), 'stored', 'fresh') }}
    )
{%- endmacro %}


{#- The readers' view. Replacing a view waits for every reader and makes the next ones wait, so it is done only when
    the columns, their descriptions or what it leaves out changed; new columns go last, which is a replacement readers survive. -#}
{% macro prepare_view(view, store) -%}
    {%- set existing = run_query(
        "select attname from pg_attribute where attrelid = to_regclass('" ~ view ~ "')"
        ~ " and attnum > 0 order by attnum"
    ).columns[0].values() | list -%}
    {%- set columns = existing + (model.columns.keys() | reject('in', existing) | list) -%}
    {%- set digest = 'definition ' ~ local_md5(view_sql(view, store, columns) ~ model.description ~ model.columns) -%}
    {%- set known = run_query(
        "select description from pg_description where objoid = '" ~ store ~ "'::regclass and objsubid = 0"
    ).columns[0].values() | list -%}
    {%- if not existing or digest not in known -%}
        {%- do run_query(view_sql(view, store, columns)) -%}
        {%- do run_query("comment on table " ~ store ~ " is '" ~ digest ~ "'") -%}
        {%- do persist_docs(view, model) -%}
        {%- do adapter.cache_added(view) -%}
    {%- endif -%}
{%- endmacro %}


{#- Scalar subqueries on purpose (in_publication): as a bare call in the filter the same scan was 45 times slower. They are
    asked when a row is at hand: the first condition asks before any is, so that an archived or unknown publication is refused
    even where no row is found, and "none" is never its answer. `stale` is not materialized: a question about one key then looks
    only for that key, however much has gone stale since. -#}
{% macro view_sql(view, store, columns) -%}
    {%- set live = config.get('view_columns', {}) -%}
    {%- set stale_keys = config.get('view_stale_keys') -%}
    create or replace view {{ view }} as
    {% if stale_keys -%}
    with stale as not materialized (
        {{ stale_keys }}
    )
    {% endif -%}
    select
        {% for column in columns -%}
        {{ live[column] ~ ' as ' ~ column if column in live else 'stored.' ~ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ store }} as stored
    where (select ops.reading_publication()) is not null
        and {{ in_publication('stored') }}
        {% if config.get('view_filter') %}and {{ config.get('view_filter') }}{% endif %}
        {% if stale_keys -%}
        and not exists (
            select from stale where stale.{{ config.require('scope_key') }} = stored.{{ config.require('scope_key') }}
        )
    union all
    select {{ columns | join(', ') }} from ({{ config.require('view_live_rows') }}) as live
        {%- endif %};

    {{ grant_to_readers(view) }}
{%- endmacro %}
