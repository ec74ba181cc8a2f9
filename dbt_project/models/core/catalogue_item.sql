with source as (
    select * from {{ source('ops', 'feed') }}
    where is_active
),

named as (
    select
        feed,
        source,
        feed_label,
        contract_version,
        department_code,
        department_name,
        catalogue_item_code,
        catalogue_item_name,
        information_class,
        legal_basis_type,
        legal_basis_name,
        legal_basis_article,
        sharing_tier,
        record_category,
        effect,
        list_name,
        report_period,
        report_sla_workdays,
        max_age_days,
        display_months,
        is_subject_register
    from source
),

final as (
    select
        *,
        -- The version is no term: a contract may gain a sample without changing a single record.
        md5((to_jsonb(named) - 'contract_version')::text) as terms_digest
    from named
)

select * from final
