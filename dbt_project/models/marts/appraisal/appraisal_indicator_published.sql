{{ config(alias='appraisal_indicator', version_key=['indicator_code', 'valid_from']) }}
with final as (
    select
        indicator_code,
        valid_from,
        valid_to,
        ordinal,
        indicator_label,
        category,
        max_points,
        is_bonus,
        metric_code,
        feeds,
        full_from,
        source as indicator_source
    from {{ source('ops', 'appraisal_indicator') }}
)

select * from final
