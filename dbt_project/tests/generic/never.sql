{#- No row of the model meets the condition. Say in the test's name and description which truth that is. -#}
{% test never(model, condition) %}
select *
from {{ model }}
where {{ condition }}
{% endtest %}
