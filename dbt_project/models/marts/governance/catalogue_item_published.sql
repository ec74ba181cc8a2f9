{{ config(alias='catalogue_item', version_key='feed') }}
with catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

department as (
    select * from {{ ref('department') }}
),

final as (
    select
        catalogue_item.feed,
        catalogue_item.source,
        catalogue_item.feed_label,
        catalogue_item.contract_version,
        catalogue_item.department_code,
        department.department_name,
        catalogue_item.catalogue_item_code,
        catalogue_item.catalogue_item_name,
        catalogue_item.information_class,
        catalogue_item.legal_basis_type,
        catalogue_item.legal_basis_name,
        catalogue_item.legal_basis_article,
        catalogue_item.sharing_tier,
        catalogue_item.record_category,
        catalogue_item.effect,
        catalogue_item.list_name,
        catalogue_item.report_period,
        catalogue_item.report_sla_workdays,
        catalogue_item.max_age_days,
        catalogue_item.display_months,
        catalogue_item.terms_digest
    from catalogue_item
    inner join department on catalogue_item.department_code = department.department_code
)

select * from final
