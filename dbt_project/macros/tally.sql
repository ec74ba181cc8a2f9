{#- Sums over all records cost a city's records each time they are asked for, so they are kept and changed by what each night
    changes: the marts credit_record_tally and credit_subject_tally. -#}

{#- What a record is counted as: one row per measure with a day, and the cell it falls into. `records` has the columns of
    queryable_credit_record; `with_columns` are passed on. -#}
{% macro tallied(records, with_columns='') -%}
    select
        {{ with_columns }}
        measured.measure,
        date_trunc('month', measured.day)::date as month,
        measured.record_category,
        measured.effect,
        measured.authority_name,
        measured.list_name
    from {{ records }} as record
    cross join lateral (
        values
        ('decided', record.decision_date, record.record_category, record.effect, coalesce(record.authority_name, ''), ''),
        -- What leaves the display on its own, and will: its day is known from the start.
        ('display_over', case when record.displayed_until < date '9999-01-01' then record.displayed_until end, '', '', '', ''),
        (
            'listed',
            case when record.serious_class is not null then coalesce(record.listed_on, record.decision_date) end,
            '', '', '', coalesce(record.list_name, '')
        ),
        (
            'delisted',
            case when record.serious_class is not null then record.ended_on end,
            '', '', '', coalesce(record.list_name, '')
        )
    ) as measured (measure, day, record_category, effect, authority_name, list_name)
    where measured.day is not null
{%- endmacro %}

{#- One measure of credit_record_tally as it is today: without what may be queried no more (gone_records). -#}
{% macro tally_today(measure) -%}
    {%- set cell = 'month, record_category, effect, authority_name, list_name' -%}
    select
        {{ cell }},
        sum(records)::bigint as records
    from (
        select
            measure,
            {{ cell }},
            records
        from {{ ref('credit_record_tally') }}
        union all
        select
            measure,
            {{ cell }},
            -1 as records
        from ({{ tallied('(' ~ gone_records() ~ ')') }}) as gone
    ) as counted
    where measure = '{{ measure }}'
    group by {{ cell }}
    having sum(records) > 0
{%- endmacro %}

{#- Condition: the candidate wrote the version, or closed it. -#}
{% macro changed_by_candidate(stored) -%}
    ({{ stored }}.valid_from_publication = {{ publication_id() }} or {{ stored }}.valid_to_publication = {{ publication_id() }})
{%- endmacro %}
