{#- `total` is the sum of `parts` in every row where it is known. -#}
{% test adds_up(model, total, parts) %}
select *
from {{ model }}
where {{ total }} <> {% for part in parts %}coalesce({{ part }}, 0){{ ' + ' if not loop.last }}{% endfor %}
{% endtest %}
