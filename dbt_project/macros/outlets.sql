{#- What an outlet leaves out on its own, whichever publication is read: removals from the moment they are entered, and
    what has expired since (ARCHITECTURE.md decision 3). `stored` is a row of mart_store.queryable_credit_record. -#}

{#- The sum keeps the planner from the index of valid_from_publication: it takes a third of all versions to be younger, and
    nearly none is, so it would read the index of the whole city beside the one that answers. -#}
{% macro in_publication(stored) -%}
    {{ stored }}.valid_from_publication + 0 <= (select ops.reading_publication())
    and (
        {{ stored }}.valid_to_publication is null
        or {{ stored }}.valid_to_publication > (select ops.reading_publication())
    )
{%- endmacro %}

{% macro is_removed(stored) -%}
    exists (
        select from ops.suppression as removal
        where removal.record_key = {{ stored }}.record_key
            and (removal.through_updated_at is null or {{ stored }}.updated_at <= removal.through_updated_at)
    )
{%- endmacro %}

{#- Condition of the rows that stay. -#}
{% macro may_be_queried(stored) -%}
    not {{ is_removed(stored) }}
    and ({{ stored }}.usable_until is null or {{ stored }}.usable_until >= (select ops.legal_day()))
{%- endmacro %}

{#- The status today of a row that was in force in its publication. -#}
{% macro live_status(stored) -%}
    case
        when {{ stored }}.status <> 'in_force' then {{ stored }}.status
        when {{ stored }}.effect = 'adverse' and {{ stored }}.ended_on <= (select ops.legal_day()) then 'ended'
        when {{ stored }}.displayed_until < (select ops.legal_day()) then 'expired'
        else 'in_force'
    end
{%- endmacro %}

{% macro live_objection(stored) -%}
    exists (select from ops.open_objection as objection where objection.record_key = {{ stored }}.record_key)
{%- endmacro %}

{#- Subjects with a record that is not what the publication counted: removed or over since. Each branch goes by an
    index and is empty while nothing has happened. -#}
{% macro stale_subjects() -%}
    select stored.subject_key
    from ops.suppression as removal
    inner join mart_store.queryable_credit_record as stored on removal.record_key = stored.record_key
    where {{ stamped_since('(select ops.reading_since())', 'removal') }}
        and (removal.through_updated_at is null or stored.updated_at <= removal.through_updated_at)
        and stored.subject_key is not null and {{ in_publication('stored') }}
    {%- for clock in ['displayed_until', 'ended_on', 'usable_until'] %}
    union
    select stored.subject_key
    from mart_store.queryable_credit_record as stored
    where stored.{{ clock }} >= (select ops.reading_night()) and stored.{{ clock }} <= (select ops.legal_day())
        and (select ops.reading_night()) < (select ops.legal_day())
        and stored.subject_key is not null and {{ in_publication('stored') }}
    {%- endfor %}
{%- endmacro %}

{#- Records of the publication that may be queried no more: the difference between what it counted and what may be counted
    today. By index, and empty while nothing has happened. -#}
{% macro gone_records() -%}
    select stored.*
    from mart_store.queryable_credit_record as stored
    where stored.record_key in (
            select removal.record_key from ops.suppression as removal
            where {{ stamped_since('(select ops.reading_since())', 'removal') }}
        )
        and {{ in_publication('stored') }} and not ({{ may_be_queried('stored') }})
    union all
    select stored.*
    from mart_store.queryable_credit_record as stored
    where stored.usable_until >= (select ops.reading_night()) and stored.usable_until < (select ops.legal_day())
        and {{ in_publication('stored') }} and not {{ is_removed('stored') }}
{%- endmacro %}
