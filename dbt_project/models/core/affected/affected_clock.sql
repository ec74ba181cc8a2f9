{#- Compared with what the last publication says, not with an earlier attempt of this run. -#}
{%- set published = built_relation('mart_store', 'feed') %}
with final as (
    select present.feed from {{ ref('feed') }} as present
    {% if published is not none -%}
    where
        not exists (
            select from {{ published }} as published
            where
                published.feed = present.feed
                and published.clock_digest = present.clock_digest
                and {{ stood_before('published') }}
        )
    {%- endif %}
)

select * from final
