{#- Keys of cases that tell nothing of the record. -#}
{% macro objection_id(record_key, objection_no) -%}
    md5({{ record_key }}::text || '|' || {{ objection_no }})::uuid
{%- endmacro %}

{% macro repair_id(event_id) -%}
    md5('repair|' || {{ event_id }})::uuid
{%- endmacro %}

{#- The deadline of one step of a procedure on a day, by the region whose rules this office follows; its own rows win
    over those of everybody. One row per row of `cases` that has a `case_id` and the day `starts_on`. -#}
{% macro deadlines(cases, procedure, step) -%}
    select distinct on (started.case_id)
        started.case_id,
        deadline.source as deadline_source,
        case
            when deadline.unit = 'day' then started.starts_on + deadline.amount
            when deadline.unit = 'workday' then due.day
        end as due_on
    from {{ cases }} as started
    inner join {{ source('ops', 'deadline') }} as deadline
        on
            deadline.procedure = '{{ procedure }}'
            and deadline.step = '{{ step }}'
            and {{ holds_on('deadline', 'started.starts_on') }}
    inner join {{ source('ops', 'office') }} as office on deadline.region in (office.region_rules, '*')
    left join {{ ref('working_day') }} as beginning on started.starts_on = beginning.day
    left join {{ ref('working_day') }} as due
        on due.is_workday and beginning.workday_number + deadline.amount = due.workday_number
    order by started.case_id asc, (deadline.region = '*') asc
{%- endmacro %}

{#- CTEs `due`, `record`, `feed` and `working_day` of a procedure about records: `cases` has case_id, record_key and the day
    starts_on. -#}
{% macro procedure_context(cases, procedure, step) -%}
due as (
    {{ deadlines(cases, procedure, step) }}
),

record as (
    select
        record_key,
        feed
    from {{ ref('credit_record') }}
    where record_key in (select started.record_key from {{ cases }} as started)
),

feed as (
    select * from {{ ref('feed') }}
),

working_day as (
    select * from {{ ref('working_day') }}
)
{%- endmacro %}
