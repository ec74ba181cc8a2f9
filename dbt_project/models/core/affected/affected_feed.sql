{#- Compares with what the last publication says about the catalogue, not with an earlier attempt of this run: a
    candidate that is built again must find the same change. -#}
{%- set published = built_relation('mart_store', 'catalogue_item') %}
with present as (
    select * from {{ ref('catalogue_item') }}
),

{% if published is none -%}
final as (
    select present.feed from present
)
{%- else -%}
base as (
    {{ base_publication() }}
),

final as (
    select present.feed
    from present
    where
        not exists (
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
