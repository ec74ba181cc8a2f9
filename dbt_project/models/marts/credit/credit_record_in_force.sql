{{ config(
    alias='credit_record',
    version_key='record_key',
    scope_model='affected_record',
    scope_key='record_key',
    version_indexes=[['subject_key'], ['feed']]
) }}
with record as (
    select * from {{ ref('credit_record') }}
    where
        {{ is_affected('record_key', 'affected_record') }}
        and status = 'in_force'
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
        catalogue_item.feed_label,
        catalogue_item.department_code,
        department.department_name,
        catalogue_item.catalogue_item_code,
        catalogue_item.catalogue_item_name,
        concat_ws(' ', catalogue_item.legal_basis_name, catalogue_item.legal_basis_article) as legal_basis,
        catalogue_item.sharing_tier,
        record.record_category,
        record.effect,
        record.list_name,
        record.title,
        record.content,
        record.document_no,
        record.authority_name,
        record.amount_cny,
        record.delivered_status,
        record.decision_date,
        record.valid_from,
        record.valid_until,
        record.listed_on,
        record.displayed_until,
        record.first_received_on,
        record.delay_workdays,
        record.is_on_time,
        record.versions,
        record.updated_at,
        record.delivered_for,
        record.batch_id,
        record.source_row,
        batch.landed_path
    from record
    inner join catalogue_item on record.feed = catalogue_item.feed
    inner join department on catalogue_item.department_code = department.department_code
    inner join batch on record.batch_id = batch.batch_id
)

select * from final
