{%- set affected_record = ref('affected_record') %}
{%- set known = built_relation('core', 'subject') %}
{%- set everything = flags.FULL_REFRESH or known is none %}
-- Every subject any version of an affected record names: a correction may move a record from one to another.
with delivered as (
    select
        subject_key,
        id_type
    from {{ ref('delivered_row') }}
    where
        subject_key is not null
        and (
            {{ everything }}
            or record_key = any(array(select affected_record.record_key from {{ affected_record }} as affected_record))
        )
),

-- Whom a reviewer linked it to, now or before.
linked as (
    select subject_key
    from {{ source('ops', 'match_decision') }}
    where
        {{ everything }}
        or record_key = any(array(select affected_record.record_key from {{ affected_record }} as affected_record))
),

-- With every organisation that ever claimed the legacy code a record carries: it leaves one and joins another.
named as (
    select subject_key from delivered
    union
    select subject_key from linked
    union
    select subject_key
    from {{ ref('delivered_row') }}
    where
        alias_keys && array(
            select delivered.subject_key from delivered
            where delivered.id_type in ('org_code', 'registration_no')
            union
            select linked.subject_key from linked
        )
),

{% if known is not none -%}
base as (
    {{ base_publication() }}
),

nights_passed as (
    select passed.night::date as night
    from base
    cross join lateral generate_series(base.first_night + 1, base.last_night, interval '1 day') as passed (night)
),

-- 29 February is celebrated on 1 March where there is none.
anniversary as (
    select to_char(night, 'MMDD') as month_day from nights_passed
    union
    select '0229' as month_day from nights_passed
    where to_char(night, 'MMDD') = '0301'
),

-- One more year without an adverse record.
timed as (
    select subject.subject_key
    from {{ known }} as subject
    where subject.clean_since_month_day = any(array(select anniversary.month_day from anniversary))
),

{% endif -%}
final as (
    select subject_key from named
    {% if known is not none -%}
    union
    select subject_key from timed
    {%- else -%}
    group by subject_key
    {%- endif %}
)

select * from final
