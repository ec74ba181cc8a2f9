with feed as (
    select * from {{ source('ops', 'feed') }}
    where is_active
),

catalogue_item as (
    select * from {{ ref('catalogue_item') }}
),

legal_basis as (
    select * from {{ source('ops', 'legal_basis') }}
),

display_rule as (
    select * from {{ source('ops', 'display_rule') }}
),

-- The newest version speaks for the item where no decision is at hand.
latest as (
    select distinct on (catalogue_item_code) *
    from catalogue_item
    order by catalogue_item_code asc, version desc
),

latest_basis as (
    select distinct on (catalogue_item_code) *
    from legal_basis
    order by catalogue_item_code asc, version desc, valid_from desc
),

-- Everything the catalogue says about an item, in every version.
item_terms as (
    select
        catalogue_item.catalogue_item_code,
        jsonb_agg(to_jsonb(catalogue_item) order by catalogue_item.version) as versions,
        (
            select jsonb_agg(to_jsonb(basis) order by basis.version, basis.valid_from)
            from legal_basis as basis
            where basis.catalogue_item_code = catalogue_item.catalogue_item_code
        ) as bases,
        (
            select jsonb_agg(to_jsonb(rule) order by rule.display_class, rule.valid_from, rule.severity)
            from display_rule as rule
            where rule.display_class = any(array_agg(catalogue_item.display_class))
        ) as rules
    from catalogue_item
    group by catalogue_item.catalogue_item_code
),

-- What turns a day into the day something is due.
clock as (
    select
        md5(concat(
            (select office.region_rules from {{ source('ops', 'office') }} as office),
            (
                select
                    jsonb_agg(
                        to_jsonb(deadline)
                        order by deadline.procedure, deadline.step, deadline.region, deadline.valid_from
                    )
                from {{ source('ops', 'deadline') }} as deadline
            ),
            (
                select jsonb_agg(to_jsonb(announced) order by announced.day)
                from {{ ref('announced_day') }} as announced
            )
        )) as digest
),

final as (
    select
        contract.feed,
        contract.source,
        contract.feed_label,
        contract.contract_version,
        contract.department_code,
        contract.department_name,
        contract.brings,
        contract.record_category,
        contract.effect,
        contract.list_name,
        contract.max_age_days,
        contract.is_subject_register,
        contract.authority_header,
        contract.catalogue_item_code,
        latest.catalogue_item_name,
        latest.information_class,
        latest.domain,
        latest_basis.legal_basis_type,
        latest_basis.legal_basis_name,
        latest_basis.legal_basis_article,
        latest.sharing_tier,
        latest.display_class,
        latest.report_period,
        latest.report_sla_workdays,
        -- The contract's version is no term: a contract may gain a sample without changing a single record.
        md5(
            (to_jsonb(contract) - 'contract_version')::text
            || item_terms.versions::text || coalesce(item_terms.bases::text, '') || coalesce(item_terms.rules::text, '')
        ) as terms_digest,
        clock.digest as clock_digest
    from feed as contract
    inner join latest on contract.catalogue_item_code = latest.catalogue_item_code
    inner join item_terms on contract.catalogue_item_code = item_terms.catalogue_item_code
    cross join clock
    left join latest_basis on contract.catalogue_item_code = latest_basis.catalogue_item_code
)

select * from final
