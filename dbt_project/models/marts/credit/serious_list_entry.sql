{{ config(materialized='steady_view') }}
with final as (
    select
        record_key,
        subject_key,
        subject_type,
        party_name,
        organisation_uscc,
        list_name,
        serious_class,
        case serious_class
            when 1 then '严重危害人民群众身体健康和生命安全'
            when 2 then '严重破坏市场公平竞争秩序和社会正常秩序'
            when 3 then '拒不履行法定义务，严重影响司法机关、行政机关公信力'
            when 4 then '拒不履行国防义务'
        end as serious_class_name,
        title as grounds,
        legal_basis,
        document_no,
        authority_name,
        department_code,
        sharing_tier,
        coalesce(listed_on, decision_date) as entered_on,
        ended_on as exited_on,
        removal_reason as exit_reason,
        displayed_until,
        status = 'in_force' as is_listed,
        is_under_objection
    from {{ ref('queryable_credit_record') }}
    where serious_class is not null
)

select * from final
