with batch as (
    select * from {{ source('ops', 'batch') }}
),

changed as (
    select * from {{ ref('changed_batch') }}
),

earliest as (
    select
        min(business_date) as business_date,
        min(delivered_for) as delivered_for
    from changed
),

-- Rows of any night that carry only a legacy code whose owner may be another one now; and rows of those owners, whom a
-- register may have named by that code.
legacy as (
    select subject_key
    from {{ ref('delivered_row') }}
    where
        id_type in ('org_code', 'registration_no')
        and subject_key = any(array(
            select affected_identity.identity_key from {{ ref('affected_identity') }} as affected_identity
        ))
),

owner as (
    select subject_key
    from {{ ref('delivered_row') }}
    where alias_keys && array(select legacy.subject_key from legacy)
),

base as (
    {{ base_publication() }}
),

-- A reviewer's decision may say that a row of any night is an organisation's, or that of the owner of its old code.
decided as (
    select
        decision.record_key,
        decision.subject_key
    from {{ source('ops', 'match_decision') }} as decision
    cross join base
    where
        decision.decision_id > base.decisions_through
        or decision.subject_key in (
            select affected_identity.identity_key from {{ ref('affected_identity') }} as affected_identity
        )
),

resolved as (
    select batch_id
    from {{ ref('delivered_row') }}
    where
        subject_key = any(array(
            select legacy.subject_key from legacy
            union
            select owner.subject_key from owner
            union
            select decided.subject_key from decided
        ))
    union
    select batch_id
    from {{ ref('delivered_row') }}
    where record_key = any(array(select decided.record_key from decided))
),

final as (
    select
        batch.batch_id,
        batch.feed
    from batch
    cross join earliest
    -- A batch that arrives out of order changes what counts as new or as known in the ones after it.
    where
        batch.business_date >= earliest.business_date
        or batch.delivered_for >= earliest.delivered_for
        or batch.feed in (select affected_feed.feed from {{ ref('affected_feed') }} as affected_feed)
        or batch.batch_id in (select resolved.batch_id from resolved)
)

select * from final
