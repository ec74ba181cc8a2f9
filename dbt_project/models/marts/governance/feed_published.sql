{{ config(alias='feed', version_key='feed') }}
with feed as (
    select * from {{ ref('feed') }}
),

department as (
    select * from {{ ref('department') }}
),

final as (
    select
        feed.feed,
        feed.source,
        feed.feed_label,
        feed.contract_version,
        feed.department_code,
        department.department_name,
        feed.brings,
        feed.record_category,
        feed.effect,
        feed.list_name,
        feed.max_age_days,
        feed.catalogue_item_code,
        feed.catalogue_item_name,
        feed.information_class,
        feed.legal_basis_type,
        feed.legal_basis_name,
        feed.legal_basis_article,
        feed.sharing_tier,
        feed.display_class,
        feed.report_period,
        feed.report_sla_workdays,
        feed.terms_digest,
        feed.domain,
        feed.clock_digest
    from feed
    inner join department on feed.department_code = department.department_code
)

select * from final
