{#- `adds_up` for a versioned mart that grows with the city: judges the rows this candidate wrote. A version once written
    does not change, so what earlier nights wrote was judged then. -#}
{% test adds_up_as_written(model, total, parts) %}
select *
from mart_store.{{ model.identifier }}
where
    valid_from_publication = {{ publication_id() }}
    and {{ total }} <> {% for part in parts %}coalesce({{ part }}, 0){{ ' + ' if not loop.last }}{% endfor %}
{% endtest %}
