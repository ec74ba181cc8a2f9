{#- Number up to which the candidate takes in changes (`events_through`), reviewers' decisions (`decisions_through`),
    closings of returned rows (`closings_through`) or evidence of the plans (`evidence_through`): what is entered while it
    is being built waits for the next one. -#}
{% macro taken_in(column) -%}
    (
        select max(taken.{{ column }})
        from {{ source('ops', 'publication') }} as taken
        where taken.state in ('published', 'candidate')
    )
{%- endmacro %}
