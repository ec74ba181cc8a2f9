{#- PRC working days after one day up to another, both as aliases of joined `working_day` rows: a row decided on
    Friday and received on Monday took 1. Null where a day is outside the calendar: a missing year is a failed test,
    never a guess. -#}
{% macro workdays_between(from_day, to_day) -%}
    ({{ to_day }}.workday_number - {{ from_day }}.workday_number)
{%- endmacro %}
