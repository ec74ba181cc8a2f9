{%- set package = source('ops', 'exchange_package') %}
{%- set publication = source('ops', 'publication') %}
with base as (
    {{ base_publication() }}
),

-- A package on its way while the base publication was built may not have been seen by it: a day more is looked at.
opened as (
    select coalesce(max(publication.opened_at), timestamptz '-infinity') - interval '1 day' as since
    from {{ publication }} as publication
    inner join base on publication.publication_id = base.publication_id
),

final as (
    select distinct package.business_date
    from {{ package }} as package
    cross join opened
    where
        package.state in ('built', 'sent')
        or greatest(package.built_at, package.sent_at, package.answered_at, package.closed_at) >= opened.since
)

select * from final
