-- depends_on: {{ ref('queryable_credit_record') }}
{{ config(version_key=['measure', 'month', 'record_category', 'effect', 'authority_key', 'list_name']) }}
{%- set everything = rebuilds_everything() %}
with record as (
    select
        stored.*,
        case when stored.valid_to_publication is null then 1 else -1 end as records
    from mart_store.queryable_credit_record as stored
    where {{ 'stored.valid_to_publication is null' if everything else changed_by_candidate('stored') }}
),

counted as (
    {{ tallied('record', with_columns='record.records,') }}
    {%- if not everything %}
    union all
    select
        stored.records,
        stored.measure,
        stored.month,
        stored.record_category,
        stored.effect,
        stored.authority_name,
        stored.list_name
    from {{ built_relation('mart_store', 'credit_record_tally') }} as stored
    where {{ stood_before('stored') }}
    {%- endif %}
),

final as (
    select
        measure,
        month,
        record_category,
        effect,
        -- What a delivery says in its own words is no key: keys are shown where something fails.
        md5(authority_name)::uuid as authority_key,
        authority_name,
        list_name,
        sum(records)::bigint as records
    from counted
    group by measure, month, record_category, effect, authority_name, list_name
    having sum(records) <> 0
)

select * from final
