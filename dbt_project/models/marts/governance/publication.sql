{{ config(materialized='steady_view') }}
select
    publication.publication_id,
    publication.business_date,
    publication.closed_at as published_at,
    publication.publication_id = (
        select pointer.publication_id from {{ source('ops', 'current_publication') }} as pointer
    ) as is_current,
    publication.publication_id = (select ops.reading_publication()) as is_read
from {{ source('ops', 'publication') }} as publication
where
    publication.state = 'published'
    and publication.publication_id not in (
        select pruned.publication_id from {{ source('ops', 'pruned_publication') }} as pruned
    )
