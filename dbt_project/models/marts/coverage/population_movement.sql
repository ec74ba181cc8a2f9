{{ config(version_key='coverage_key', scope_model='coverage_change', scope_key='coverage_key') }}
with final as (
    select
        coverage_key,
        population,
        group_name,
        district,
        day,
        joined,
        departed,
        filed,
        unfiled
    from {{ ref('coverage_change') }}
    where joined <> 0 or departed <> 0 or filed <> 0 or unfiled <> 0
)

select * from final
