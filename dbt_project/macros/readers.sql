{#-
    Who may read a mart: `config.meta.readers` of the model, reader → `all` its rows or its `own`. A model that says nothing
    is read by nobody but the loading role and the auditor.

    Own rows are a department's: it reads views of the same names in schema `department`, which let through the rows of
    the department its login belongs to (ops.reading_department) and are barriers to functions that would look behind them.
    A view and not a policy: what a reader's view is built from (city-wide places, rates) has to be counted in full.
-#}
{% macro grant_to_readers(view) -%}
    {%- set readers = model.config.get('meta', {}).get('readers', {}) -%}
    {%- set own = api.Relation.create(database=view.database, schema='department', identifier=view.identifier, type='view') -%}
    revoke all on {{ view }} from credit_leader, credit_analyst;
    drop view if exists {{ own }};
    {% for reader in ['leader', 'analyst'] if readers.get(reader) == 'all' -%}
        grant select on {{ view }} to credit_{{ reader }};
    {% endfor -%}
    {% if 'department' in readers -%}
        create view {{ own }} with (security_barrier) as
        select * from {{ view }}
        {%- if readers.department == 'own' %} where department_code = (select ops.reading_department()) {%- endif %};
        grant select on {{ own }} to credit_department;
    {% endif -%}
{%- endmacro %}
