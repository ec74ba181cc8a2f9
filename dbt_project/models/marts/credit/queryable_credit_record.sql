{{ config(
    version_key='record_key',
    scope_model='affected_record',
    scope_key='record_key',
    distinct_share={'subject_key': 0.1},
    version_indexes=[
        ['subject_key'], ['feed'], ['displayed_until'], ['ended_on'], ['usable_until']
    ],
    view_filter=may_be_queried('stored'),
    view_columns={'status': live_status('stored'), 'is_under_objection': live_objection('stored')}
) }}
with record as (
    select * from {{ ref('credit_record') }}
    where
        {{ is_affected('record_key', 'affected_record') }}
        and status in {{ queryable_statuses() }}
),

feed as (
    select * from {{ ref('feed') }}
),

catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

department as (
    select * from {{ ref('department') }}
),

batch as (
    select * from {{ source('ops', 'batch') }}
),

final as (
    select
        record.record_key,
        record.subject_key,
        record.subject_type,
        record.party_name,
        record.organisation_uscc,
        record.feed,
        record.source,
        feed.feed_label,
        feed.department_code,
        department.department_name,
        record.catalogue_item_code,
        catalogue_item.catalogue_item_name,
        record.catalogue_version,
        catalogue_item.information_class,
        record.legal_basis,
        record.sharing_tier,
        record.record_category,
        record.effect,
        record.list_name,
        catalogue_item.serious_class,
        record.title,
        record.content,
        record.document_no,
        record.authority_name,
        record.amount_cny,
        record.delivered_status,
        record.status,
        record.severity,
        record.severity_source,
        record.penalty_kinds,
        record.rating_year,
        record.decision_date,
        record.valid_from,
        record.valid_until,
        record.listed_on,
        record.removed_on,
        record.removal_reason,
        record.ended_on,
        record.display_started_on,
        record.displayed_until,
        record.display_note,
        record.repairable_from,
        record.usable_until,
        record.is_under_objection,
        record.first_received_on,
        record.report_due_on,
        record.delay_workdays,
        record.is_on_time,
        record.versions,
        record.updated_at,
        record.delivered_for,
        record.batch_id,
        record.source_row,
        batch.landed_path
    from record
    inner join feed on record.feed = feed.feed
    inner join catalogue_item
        on
            record.catalogue_item_code = catalogue_item.catalogue_item_code
            and record.catalogue_version = catalogue_item.version
    inner join department on feed.department_code = department.department_code
    inner join batch on record.batch_id = batch.batch_id
)

select * from final
{{ laid_out_by('subject_key') }}
