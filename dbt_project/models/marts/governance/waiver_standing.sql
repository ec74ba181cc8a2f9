{{ config(materialized='steady_view') }}
with waiver as (
    select * from {{ source('ops', 'waiver') }}
),

final as (
    select
        waiver_id,
        gate,
        expectation_id,
        feed,
        reason,
        owner,
        starts_on,
        expires_on,
        expires_on - (select ops.reading_night()) as days_left
    from waiver
    where starts_on <= (select ops.reading_night())
)

select * from final
