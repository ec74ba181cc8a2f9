with final as (
    select
        catalogue_item_code,
        version,
        catalogue_item_name,
        valid_from,
        valid_to,
        information_class,
        act,
        department_codes,
        sharing_tier,
        display_class,
        use_months,
        use_starts,
        use_source,
        report_period,
        report_sla_workdays,
        report_sla_source,
        severity_source,
        level,
        serious_class,
        domain,
        withdrawn_on,
        withdrawn_document,
        withdrawn_reason
    from {{ source('ops', 'catalogue_item') }}
)

select * from final
