{#- Names of natural persons leave raw only as 张*; a subject of unknown type is treated as a person. -#}

{% macro masked_name(name, subject_type) -%}
    case when {{ subject_type }} = 'organisation' then {{ name }} else left({{ name }}, 1) || '*' end
{%- endmacro %}

{#- Free text of a person's record, with the person's own name masked wherever it stands. -#}
{% macro masked_text(text, name, subject_type) -%}
    case
        when {{ subject_type }} = 'organisation' or {{ name }} is null or length({{ name }}) < 2 then {{ text }}
        else replace({{ text }}, {{ name }}, left({{ name }}, 1) || '*')
    end
{%- endmacro %}
