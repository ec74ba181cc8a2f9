{#- Compares with what the last publication says about the catalogue, not with an earlier attempt of this run: a
    candidate that is built again must find the same change. -#}
{%- set published = built_relation('mart_store', 'feed') %}
{%- set catalogue_item, display_rule = ref('catalogue_item'), source('ops', 'display_rule') %}
with present as (
    select * from {{ ref('feed') }}
),

{% if published is none -%}
final as (
    select present.feed from present
)
{%- else -%}
base as (
    {{ base_publication() }}
),

-- The catalogue says the same and means another thing: its rules of tonight began, or an item has left it.
turned as (
    select item.catalogue_item_code
    from {{ catalogue_item }} as item
    cross join base
    left join {{ display_rule }} as rule on item.display_class = rule.display_class
    where
        (item.withdrawn_on > base.first_night and item.withdrawn_on <= base.last_night)
        or (rule.valid_from > base.first_night and rule.valid_from <= base.last_night)
),

final as (
    select present.feed
    from present
    where
        present.catalogue_item_code in (select turned.catalogue_item_code from turned)
        or not exists (
            select 1
            from {{ published }} as published
            cross join base
            where
                published.feed = present.feed
                and published.terms_digest = present.terms_digest
                and published.valid_from_publication <= base.publication_id
                and (
                    published.valid_to_publication is null
                    or published.valid_to_publication > base.publication_id
                )
        )
)
{%- endif %}

select * from final
