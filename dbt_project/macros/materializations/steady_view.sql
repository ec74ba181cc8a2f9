{#-
    Materialization `steady_view`: a view that is made again only when its definition changed.

    dbt's own view is dropped and recreated in every run: fourteen staging views cost a second a night, and each drop
    cascades to the views on top. Here the hash of the compiled SQL is kept as the comment of the view's rule (the view's
    own comment is the dictionary's); the contract is checked when the view is made. For internal layers: a changed view
    is dropped with what depends on it, which the same run makes again.
-#}
{% materialization steady_view, adapter='postgres', supported_languages=['sql'] %}
    {%- set view = this.incorporate(type='view') -%}
    {%- set grants = grant_to_readers(view) if view.schema == 'mart' -%}
    {%- set digest = 'definition ' ~ local_md5(sql ~ model.description ~ model.columns ~ grants) -%}

    {{ run_hooks(pre_hooks) }}
    {%- call statement('known', fetch_result=true) -%}
        select obj_description(oid, 'pg_rewrite') from pg_rewrite where ev_class = to_regclass('{{ view }}')
    {%- endcall -%}
    {%- set known = load_result('known').table.columns[0].values() -%}
    {%- if digest in known and not should_full_refresh() -%}
        {%- do store_raw_result('main', message='UNCHANGED', code='UNCHANGED', rows_affected=-1) -%}
    {%- else -%}
        {%- call statement('main') -%}
            {{ get_assert_columns_equivalent(sql) }}
            drop view if exists {{ view }} cascade;
            create view {{ view }} as {{ sql }};
            comment on rule "_RETURN" on {{ view }} is '{{ digest }}';
            {{ grants }}
        {%- endcall -%}
        {%- do persist_docs(view, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}

    {{ return({'relations': [view]}) }}
{% endmaterialization %}
