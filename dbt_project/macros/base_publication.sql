{#- The publication the candidate changes: the newest published one before it, with the span of nights that core has
    been built for since (a discarded candidate may have built a later or an earlier night). All null before the
    first publication. -#}
{% macro base_publication() -%}
    {%- set publication = source('ops', 'publication') -%}
    {%- set candidate = publication_id() -%}
    select
        published.publication_id,
        coalesce((
            select known.events_through from {{ publication }} as known
            where known.publication_id = published.publication_id
        ), 0) as events_through,
        coalesce((
            select known.decisions_through from {{ publication }} as known
            where known.publication_id = published.publication_id
        ), 0) as decisions_through,
        coalesce((
            select known.closings_through from {{ publication }} as known
            where known.publication_id = published.publication_id
        ), 0) as closings_through,
        (
            select known.opened_at from {{ publication }} as known
            where known.publication_id = published.publication_id
        ) as opened_at,
        (
            select min(built.business_date) from {{ publication }} as built
            where built.publication_id between published.publication_id and {{ candidate }}
        ) as first_night,
        (
            select max(built.business_date) from {{ publication }} as built
            where built.publication_id between published.publication_id and {{ candidate }}
        ) as last_night
    from (
        select max(newest.publication_id) as publication_id
        from {{ publication }} as newest
        where newest.state = 'published' and newest.publication_id < {{ candidate }}
    ) as published
{%- endmacro %}

{#- Of an append-only table: what may have been entered since a moment. An entry may be committed some time after it was
    stamped. -#}
{% macro stamped_since(moment, entries) -%}
    {{ entries }}.entered_at >= {{ moment }} - interval '1 hour'
{%- endmacro %}

{#- The same since the base publication was opened. -#}
{% macro entered_since(base, entries) -%}
    {{ stamped_since(base ~ '.opened_at', entries) }}
{%- endmacro %}

{#- Condition on rows of a mart's store: what stood before the candidate, and before an earlier attempt of it. -#}
{% macro stood_before(stored) -%}
    {{ stored }}.valid_from_publication < {{ publication_id() }}
    and ({{ stored }}.valid_to_publication is null or {{ stored }}.valid_to_publication >= {{ publication_id() }})
{%- endmacro %}

{#- Business date of the newest publication, for what only time may have changed since. -#}
{% macro last_published_night() -%}
    (
        select coalesce(max(last.business_date), '-infinity')
        from {{ source('ops', 'publication') }} as last
        where last.state = 'published'
    )
{%- endmacro %}
