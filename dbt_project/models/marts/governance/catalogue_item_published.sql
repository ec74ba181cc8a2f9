{{ config(alias='catalogue_item', version_key=['catalogue_item_code', 'version']) }}
with catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

legal_basis as (
    select
        catalogue_item_code,
        version,
        string_agg(
            concat_ws(
                ' ', legal_basis_name, legal_basis_article,
                '（' || valid_from || ' 起' || coalesce('，' || valid_to || ' 止', '') || '）'
            ),
            '；' order by valid_from
        ) as legal_bases
    from {{ source('ops', 'legal_basis') }}
    group by catalogue_item_code, version
),

display_rule as (
    select distinct
        display_class,
        display_label
    from {{ source('ops', 'display_rule') }}
),

final as (
    select
        catalogue_item.catalogue_item_code,
        catalogue_item.version,
        catalogue_item.catalogue_item_name,
        catalogue_item.valid_from,
        catalogue_item.valid_to,
        catalogue_item.information_class,
        catalogue_item.act,
        legal_basis.legal_bases,
        catalogue_item.department_codes,
        catalogue_item.sharing_tier,
        catalogue_item.display_class,
        display_rule.display_label,
        catalogue_item.use_months,
        catalogue_item.use_source,
        catalogue_item.report_period,
        catalogue_item.report_sla_workdays,
        catalogue_item.report_sla_source,
        catalogue_item.severity_source,
        catalogue_item.level,
        catalogue_item.serious_class,
        catalogue_item.withdrawn_on,
        catalogue_item.withdrawn_document,
        catalogue_item.withdrawn_reason,
        catalogue_item.domain
    from catalogue_item
    inner join legal_basis
        on
            catalogue_item.catalogue_item_code = legal_basis.catalogue_item_code
            and catalogue_item.version = legal_basis.version
    inner join display_rule on catalogue_item.display_class = display_rule.display_class
)

select * from final
