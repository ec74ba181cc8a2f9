{#- `adds_up` for a versioned mart that grows with the city: judges the rows this candidate wrote, or all that stand when
    everything is built anew. A version once written does not change, so what earlier nights wrote was judged then. -#}
{% test adds_up_as_written(model, total, parts) %}
{%- set judged -%}
    {%- if flags.FULL_REFRESH -%}
        valid_to_publication is null
    {%- else -%}
        valid_from_publication = {{ publication_id() }}
    {%- endif -%}
{%- endset -%}
{{ test_adds_up('(select * from mart_store.' ~ model.identifier ~ ' where ' ~ judged ~ ') as written', total, parts) }}
{% endtest %}
