-- Nights whose counts may come out differently.
with final as (
    select distinct batch.business_date
    from {{ ref('affected_batch') }} as affected
    inner join {{ source('ops', 'batch') }} as batch on affected.batch_id = batch.batch_id
)

select * from final
