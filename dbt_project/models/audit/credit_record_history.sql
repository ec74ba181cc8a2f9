-- depends_on: {{ ref('queryable_credit_record') }}
-- Past publications whole: also what readers no longer see in them.
with final as (
    select
        stored.record_key,
        stored.subject_key,
        stored.feed,
        stored.catalogue_item_code,
        stored.effect,
        stored.title,
        stored.document_no,
        stored.authority_name,
        stored.decision_date,
        stored.status,
        stored.displayed_until,
        stored.usable_until,
        stored.batch_id,
        stored.source_row,
        stored.valid_from_publication,
        stored.valid_to_publication,
        removal.kind as suppressed_by,
        removal.event_id as suppressing_event_id,
        removal.entered_at as suppressed_at
    from mart_store.queryable_credit_record as stored
    left join lateral (
        select
            suppression.kind,
            suppression.event_id,
            suppression.entered_at
        from {{ source('ops', 'suppression') }} as suppression
        where
            suppression.record_key = stored.record_key
            and (suppression.through_updated_at is null or stored.updated_at <= suppression.through_updated_at)
        order by suppression.entered_at asc
        limit 1
    ) as removal on true
)

select * from final
