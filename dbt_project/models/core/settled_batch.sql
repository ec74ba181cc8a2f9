with batch as (
    select * from {{ source('ops', 'batch') }}
),

-- What is accepted while a candidate is being built waits for the next one.
held as (
    select built.batch_id
    from {{ source('ops', 'publication_batch') }} as built
    inner join {{ source('ops', 'publication') }} as publication
        on built.publication_id = publication.publication_id
    where publication.state in ('published', 'candidate')
),

final as (
    select
        batch_id,
        feed,
        business_date,
        delivered_for,
        landed_path,
        state,
        is_initial,
        delivered_rows,
        accepted_rows,
        quarantined_rows,
        refused_rows
    from batch
    where
        state = 'refused'
        or (state = 'accepted' and batch_id in (select held.batch_id from held))
)

select * from final
